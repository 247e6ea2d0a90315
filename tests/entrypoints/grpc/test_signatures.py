"""What must be signed is checked over the bytes that came, for the caller that was let in."""

from typing import Any
from uuid import uuid4

import grpc
import pytest

from kapda.api.orders.v1 import order_service_pb2
from kapda.domain.identity.use_cases.verify_signature import VerifySignatureCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.request_log import Answer
from kapda.domain.shared.request_proof import RequestProof
from kapda.entrypoints.grpc.access_rules import read_rules
from kapda.entrypoints.grpc.services import SERVICES
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import (
    ADMIN,
    CUSTOMER,
    EVERYTHING,
    PRINCIPALS,
    PROOF,
    SIGNATURE,
    SIGNED,
    STOCK_READER,
    KnownSignatures,
    Refusal,
    Running,
    Start,
    as_caller,
    as_service,
)
from tests.entrypoints.grpc.conftest import (
    SERVICES as KNOWN_SERVICES,
)

METHOD = "/kapda.api.orders.v1.OrderService/RefundOrder"
REQUEST = order_service_pb2.RefundOrderRequest(
    request_id=str(uuid4()), order_id=str(uuid4()), shipping_minor=100, reason="late"
)
# Not what this library would send: the last field comes first.
ODD_BYTES = (
    b"2\x04late"
    + order_service_pb2.RefundOrderRequest(
        request_id=REQUEST.request_id, order_id=REQUEST.order_id, shipping_minor=100
    ).SerializeToString()
)


CANCEL = "/kapda.api.orders.v1.OrderService/CancelOrder"
CANCELLATION = order_service_pb2.CancelOrderRequest(request_id=str(uuid4()), order_id=str(uuid4()), reason="late")


async def cancel(served: Running, *metadata: tuple[str, str]) -> Any:
    """The command of a cancellation asked for so, or how it is refused."""

    async def answer(_: object) -> Any:
        return Answer(samples.ORDER)

    served.use_cases.behaviours["cancel_order"] = answer
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(CANCEL)
    try:
        await call(CANCELLATION.SerializeToString(), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return served.use_cases.commands.pop()


async def refund(served: Running, *metadata: tuple[str, str], body: bytes | None = None) -> Any:
    """The command of a refund asked for so, or how it is refused."""

    async def answer(_: object) -> Any:
        return Answer(samples.REFUND)

    served.use_cases.behaviours["refund_order"] = answer
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(METHOD)
    try:
        await call(REQUEST.SerializeToString() if body is None else body, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return served.use_cases.commands.pop()


async def test_a_signed_refund_carries_its_proof(served: Running) -> None:
    command = await refund(served, *as_caller(ADMIN), *SIGNED)
    assert (command.principal, command.proof) == (PRINCIPALS[ADMIN], PROOF)


async def test_a_service_with_the_scope_signs_too_and_the_scope_alone_is_not_enough(served: Running) -> None:
    command = await refund(served, *as_service(EVERYTHING), *SIGNED)
    assert (command.principal, command.proof) == (KNOWN_SERVICES[EVERYTHING], PROOF)
    assert (await refund(served, *as_service(EVERYTHING))).info.reason == "SIGNATURE_MISSING"
    assert (await refund(served, *as_service(STOCK_READER), *SIGNED)).info.reason == "SCOPE_MISSING"


@pytest.mark.parametrize("left_out", range(len(SIGNED)))
async def test_every_part_of_a_signature_must_come(served: Running, left_out: int) -> None:
    parts = [part for number, part in enumerate(SIGNED) if number != left_out]
    refused = await refund(served, *as_caller(ADMIN), *parts)
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SIGNATURE_MISSING")
    assert served.use_cases.commands == []


async def test_another_signature_is_refused_before_the_message_is_looked_at(served: Running) -> None:
    wrong = [(name, "6" * 64 if value == SIGNATURE else value) for name, value in SIGNED]
    refused = await refund(served, *as_caller(ADMIN), *wrong, body=b"\xff\xff")
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SIGNATURE_INVALID")


async def test_whoever_may_not_call_learns_nothing_about_signatures(served: Running) -> None:
    assert (await refund(served, *as_caller(CUSTOMER), *SIGNED)).info.reason == "ROLE_NOT_ALLOWED"
    assert (await refund(served, *SIGNED)).info.reason == "TOKEN_MISSING"


async def test_the_signature_is_over_the_bytes_as_they_came(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[VerifySignatureCommand] = []
    known = KnownSignatures.execute

    async def listen(self: KnownSignatures, command: VerifySignatureCommand) -> RequestProof:
        heard.append(command)
        return await known(self, command)

    monkeypatch.setattr(KnownSignatures, "execute", listen)
    served = await start()
    assert order_service_pb2.RefundOrderRequest.FromString(ODD_BYTES) == REQUEST
    await refund(served, *as_caller(ADMIN), *SIGNED, body=ODD_BYTES)
    (command,) = heard
    assert command.call.body == ODD_BYTES
    assert (command.call.method, command.call.principal_id) == (METHOD, PRINCIPALS[ADMIN].user_id)
    told = command.signature
    assert [told.key_id, told.timestamp, told.nonce, told.text] == [value for _, value in SIGNED]


async def test_an_admin_signs_what_customers_may_do_to_their_own_unsigned(served: Running) -> None:
    assert (await cancel(served, *as_caller(ADMIN))).info.reason == "SIGNATURE_MISSING"
    assert served.use_cases.commands == []
    assert (await cancel(served, *as_caller(ADMIN), *SIGNED)).proof == PROOF
    assert (await cancel(served, *as_caller(CUSTOMER))).proof is None
    # Nobody asks, so nobody looks: a customer's made-up signature proves nothing and hinders nothing.
    assert (await cancel(served, *as_caller(CUSTOMER), *SIGNED)).proof is None


def test_these_methods_must_be_signed_and_no_others() -> None:
    rules = read_rules(service.descriptor for service in SERVICES)
    signed = {path.rpartition("/")[2]: rule.signed_by for path, rule in rules.items() if rule.signed_by}
    power = {"IssueApiKey", "RotateApiKey", "IssueSigningKey", "SetUserRole", "EnableUser"}
    by_all = power | {"RefundOrder", "ResolveCase"}
    assert signed == {**dict.fromkeys(by_all, frozenset(Role)), "CancelOrder": frozenset({Role.ADMIN})}
