"""Every request id, in every method that takes one: sent again it answers again, with another body it is refused."""

import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from tests.attacks.breakages import with_value
from tests.attacks.contract import METHODS, Method, fields_of
from tests.attacks.messages import Messages
from tests.attacks.plot import newcomers_buy
from tests.attacks.refusals import Refusal
from tests.attacks.stage import CALL_SECONDS, Stage
from tests.attacks.values import Values, rules_of

WITH_ID = [method for method in METHODS if "request_id" in method.request.fields_by_name]
TRIES = 60
# PlaceOrder looks at the checkout and the signature before it claims anything: a forged body has no right to learn of an id.
_REFUSED = {"REQUEST_ID_REUSED", "VALIDATION_FAILED", "CHECKOUT_NOT_FOUND", "PAYMENT_SIGNATURE_INVALID"}


async def _send(stage: Stage, method: Method, request: bytes, caller: str) -> tuple[bytes, bool]:
    """The response, and whether it was said to be one given before."""
    signed = stage.signature(method, request, caller)
    unary: Any = stage.channel.unary_unary(method.path)
    call = unary(request, metadata=(*stage.metadata[caller], *signed), timeout=CALL_SECONDS)
    received: bytes = await call
    return received, ("idempotent-replayed", "true") in list(await call.trailing_metadata())


async def _served(stage: Stage, method: Method, messages: Messages) -> tuple[str, Message, bytes]:
    """A request that was served just now, by whom, and its response."""
    callers = stage.allowed(method)
    for number in range(TRIES):
        caller = callers[number % len(callers)]
        request: Any = messages.good(method, caller)
        try:
            if "etag" in method.request.fields_by_name and "variant_id" in method.request.fields_by_name:
                stock: Any = await stage.ask("GetStock", caller, variant_id=request.variant_id)
                request.etag = stock.stock.etag
            received, replayed = await _send(stage, method, request.SerializeToString(), caller)
        except grpc.aio.AioRpcError as error:
            Refusal(error)
            continue
        assert not replayed
        stage.known.learn_from(caller, method.read_response(received))
        return caller, request, received
    raise AssertionError(f"no {method.path} of {TRIES} was served")


def _other_bodies(request: Message, method: Method, messages: Messages) -> Iterator[tuple[str, Message]]:
    """The same request with another good value in one field."""
    for path in fields_of(method.request):
        field = path[-1]
        if field.name == "request_id" or field.is_repeated or field.message_type is not None or len(path) > 2:
            continue
        rules = rules_of(field)
        is_text = field.cpp_type == field.CPPTYPE_STRING
        # Texts may be read as the same one, spaces and cases aside; a good one made anew is another.
        for value in [messages.values.good(field, rules)] if is_text else messages.values.odd(field, rules):
            other = with_value(request, path, value)
            if other != request and not messages.validator.collect_violations(other):
                yield ".".join(step.name for step in path), other


@pytest.mark.parametrize("method", WITH_ID, ids=lambda method: method.descriptor.name)
async def test_a_request_id_has_one_effect_and_one_body(stage: Stage, method: Method) -> None:
    await newcomers_buy(stage)
    messages = Messages(Values(random.Random(method.path)), stage.known)  # noqa: S311
    caller, request, received = await _served(stage, method, messages)
    before = await stage.everything_written()
    assert await _send(stage, method, request.SerializeToString(), caller) == (received, True)
    told: set[tuple[str, str]] = set()
    for name, other in _other_bodies(request, method, messages):
        try:
            await _send(stage, method, other.SerializeToString(), caller)
        except grpc.aio.AioRpcError as error:
            told.add((name, Refusal(error).reason))
        else:
            told.add((name, "OK"))
    assert {reason for _, reason in told} <= _REFUSED, told
    after = await stage.everything_written()
    assert {table for table in after if after[table] != before[table]} <= {"request_nonces", "signed_request_nonces"}
