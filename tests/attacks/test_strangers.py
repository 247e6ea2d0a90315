"""What belongs to one caller is nothing to another: not found, in the same words as what was never there."""

import random
import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import grpc
import pytest

from kapda.domain.identity.user import Role
from tests.attacks.breakages import with_value
from tests.attacks.contract import METHODS, Method, Path, fields_of, method_named
from tests.attacks.messages import Messages
from tests.attacks.plot import buy
from tests.attacks.refusals import Refusal
from tests.attacks.stage import Stage
from tests.attacks.values import Values

# Each owns things of the kinds that the other owns.
PAIRS = [("asha", "ravi"), ("loom", "press")]
LISTS = [method for method in METHODS if "page_token" in method.request.fields_by_name]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|SKU-[0-9a-f]+")


def messages_for(stage: Stage) -> Messages:
    """Requests that are the same every run."""
    return Messages(Values(random.Random(11)), stage.known)  # noqa: S311


async def refusal_of(stage: Stage, method: Method, request: bytes, caller: str) -> Refusal | None:
    """How the call is refused; None where it is served."""
    try:
        await stage.send(method, request, caller)
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return None


def _things(method: Method) -> list[Path]:
    """The fields that name something that may be somebody's. What is on sale is everybody's to buy."""
    not_owned = {"request_id"} | ({"variant_id"} if Role.CUSTOMER in method.rule.roles else set())
    paths = fields_of(method.request)
    return [path for path in paths if path[-1].name.endswith(("_id", "sku")) and path[-1].name not in not_owned]


OWNED = [method for method in METHODS if method.owned and _things(method)]


@pytest.fixture(scope="module", autouse=True)
async def _everybody_has_what_may_be_asked_for(stage: Stage) -> None:
    """An address and a session that are known, beside what the plot has given to each."""
    messages, adding = messages_for(stage), method_named("AddAddress")
    for caller in (one for pair in PAIRS for one in pair):
        added = await stage.send(adding, messages.good(adding, caller).SerializeToString(), caller)
        stage.known.learn_from(caller, adding.read_response(added))
        await stage.ask("ListSessions", caller)


def _facts(refusal: Refusal) -> tuple[Any, ...]:
    kinds = [detail.type_url for detail in refusal.status.details]
    return refusal.code, refusal.reason, _UUID.sub("?", refusal.text), sorted(refusal.facts), kinds


@pytest.mark.parametrize("method", OWNED, ids=lambda method: method.descriptor.name)
async def test_anothers_thing_is_answered_as_one_that_does_not_exist(stage: Stage, method: Method) -> None:
    messages, before = messages_for(stage), await stage.everything_written()
    tried: set[str] = set()
    for owner, stranger in [(one, other) for pair in PAIRS for one, other in (pair, pair[::-1])]:
        if stranger not in stage.allowed(method):
            continue
        for path in _things(method):
            for theirs in _only_theirs(stage, path[-1].name, owner, stranger)[:2]:
                good = messages.good(method, stranger)
                asked, absent = (with_value(good, path, value) for value in (theirs, _of_nobody(path[-1].name)))
                found = await refusal_of(stage, method, asked.SerializeToString(), stranger)
                missing = await refusal_of(stage, method, absent.SerializeToString(), stranger)
                tried.add(path[-1].name)
                assert found is not None, f"{stranger} had {owner}'s {path[-1].name}"
                assert missing is not None
                assert _facts(found) == _facts(missing)
                assert found.code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT), found.text
    assert tried == {path[-1].name for path in _things(method)}
    assert await stage.everything_written() == before


def _only_theirs(stage: Stage, name: str, owner: str, stranger: str) -> Sequence[str]:
    own = set(stage.known.of(stranger, name))
    return [value for value in stage.known.of(owner, name) if value not in own]


def _of_nobody(name: str) -> str:
    return {"razorpay_payment_id": "pay_nobody", "razorpay_order_id": "order_nobody", "sku": "SKU-0"}.get(
        name, str(uuid4())
    )


@pytest.fixture(scope="module")
async def tokens(stage: Stage) -> list[tuple[Method, str, bytes, str]]:
    """A page token from every list that has more than a page: of which list, for whom, for which request."""
    await buy(stage, "asha")
    messages, found = messages_for(stage), []
    for method in LISTS:
        for caller in stage.allowed(method):
            for _ in range(4):
                request: Any = messages.good(method, caller)
                request.page_size, request.page_token = 1, ""
                try:
                    response: Any = method.read_response(await stage.send(method, request.SerializeToString(), caller))
                except grpc.aio.AioRpcError:
                    continue
                if response.next_page_token:
                    found.append((method, caller, request.SerializeToString(), str(response.next_page_token)))
                    break
    return found


async def test_a_page_token_opens_only_its_own_list_for_its_own_caller(
    stage: Stage, tokens: list[tuple[Method, str, bytes, str]]
) -> None:
    messages, opened = messages_for(stage), set()
    for method, caller, asked, token in tokens:
        request: Any = method.new_request()
        request.ParseFromString(asked)
        request.page_token = token
        assert await refusal_of(stage, method, request.SerializeToString(), caller) is None
        opened.add(method.descriptor.name)
        others = [] if method.rule.public else [who for who in stage.allowed(method) if who != caller]
        for other in others:
            refused = await refusal_of(stage, method, request.SerializeToString(), other)
            assert refused is not None, f"{other} read on in {caller}'s {method.path}"
            assert refused.reason == "PAGE_TOKEN_INVALID"
        for elsewhere in LISTS:
            if elsewhere is not method and caller in stage.allowed(elsewhere):
                wrong: Any = messages.good(elsewhere, caller)
                wrong.page_token = token
                refused = await refusal_of(stage, elsewhere, wrong.SerializeToString(), caller)
                assert refused is not None, f"{elsewhere.path} took a token of {method.path}"
                assert refused.reason == "PAGE_TOKEN_INVALID"
    assert {"ListOrders", "ListProducts", "ListStockMovements"} <= opened
