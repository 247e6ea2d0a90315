"""Deadlines that have passed, or that nothing can be done in: what is begun is done whole or not at all, and said so."""

import random
from typing import Any
from uuid import uuid4

import grpc
import pytest
import structlog

from tests.attacks.cast import come_back
from tests.attacks.contract import METHODS, Method, method_named
from tests.attacks.fuzzer import TOLD
from tests.attacks.messages import Messages
from tests.attacks.plot import newcomers_buy
from tests.attacks.stage import CALL_SECONDS, NOBODY, Stage
from tests.attacks.values import Values
from tests.shop.desk import check_books, send_due

_BUSY = """SELECT count(*) AS busy FROM pg_stat_activity
    WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"""
EXPIRED, LATE = -1.0, grpc.StatusCode.DEADLINE_EXCEEDED
by_deadline = pytest.mark.parametrize("seconds", [EXPIRED, 0.001, 0.01])


async def ended(stage: Stage, method: Method, request: bytes, caller: str, seconds: float) -> grpc.StatusCode:
    """How the call ended for its caller."""
    try:
        await stage.send(method, request, caller, seconds=seconds)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def at_rest(stage: Stage) -> dict[str, tuple[int, str]]:
    """All that is written, once what callers have left behind is done."""
    before: dict[str, tuple[int, str]] = {}
    while (now := await stage.everything_written()) != before or (await stage.shop.sql(_BUSY))[0]["busy"]:
        before = now
    return now


def wrong_of(lines: list[Any]) -> list[Any]:
    """The log lines that tell of a fault of ours."""
    return [line for line in lines if line["log_level"] == "error" or line.get("code") in ("INTERNAL", "UNKNOWN")]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.name)
async def test_no_deadline_is_a_fault_of_ours(stage: Stage, method: Method) -> None:
    messages = Messages(Values(random.Random(method.path)), stage.known)  # noqa: S311  (the same every run)
    caller = stage.allowed(method)[0]
    before = await at_rest(stage)
    with structlog.testing.capture_logs() as lines:
        request = messages.good(method, caller).SerializeToString()
        assert await ended(stage, method, request, caller, EXPIRED) is LATE
        assert await stage.everything_written() == before
        for seconds in (0.001, 0.01):
            assert await ended(stage, method, request, caller, seconds) in {LATE, grpc.StatusCode.OK, *TOLD}
        if caller != NOBODY:
            await come_back(stage, caller)
    assert not wrong_of(lines)


@by_deadline
async def test_an_addition_that_was_late_is_in_the_cart_whole_or_not_and_once_when_sent_again(
    stage: Stage, seconds: float
) -> None:
    await newcomers_buy(stage)
    variant = stage.known.of("asha", "variant_id")[1]
    add = method_named("AddItem")
    for number in range(1, 8):
        request = add.new_request()
        for name, value in {"request_id": str(uuid4()), "variant_id": variant, "quantity": 1}.items():
            setattr(request, name, value)
        with structlog.testing.capture_logs() as lines:
            code = await ended(stage, add, request.SerializeToString(), "asha", seconds)
            assert code in {LATE, grpc.StatusCode.OK}
            answer: Any = add.read_response(await stage.send(add, request.SerializeToString(), "asha"))
        assert not wrong_of(lines)
        assert [line.quantity for line in answer.cart.lines if line.variant_id == variant] == [number]


@by_deadline
async def test_a_checkout_asked_for_too_late_is_not_begun(stage: Stage, seconds: float) -> None:
    await newcomers_buy(stage)
    await stage.ask("ClearCart", "asha", request_id=str(uuid4()))
    variant = stage.known.of("asha", "variant_id")[1]
    cart: Any = await stage.ask("AddItem", "asha", request_id=str(uuid4()), variant_id=variant, quantity=1)
    start = method_named("StartCheckout")
    request: Any = start.new_request()
    request.CopyFrom(type(request)(request_id=str(uuid4()), expected_total=cart.cart.total))
    for name, value in {"name": "Asha Rao", "phone": "+919876543210", "line1": f"{uuid4()}", "city": "Pune"}.items():
        setattr(request.address, name, value)
    request.address.state_code, request.address.pin_code = "MH", "411004"
    before = await at_rest(stage)
    with structlog.testing.capture_logs() as lines:
        code = await ended(stage, start, request.SerializeToString(), "asha", seconds)
    assert code in {LATE, grpc.StatusCode.INVALID_ARGUMENT}
    assert not wrong_of(lines)
    assert await stage.everything_written() == before
    made: Any = start.read_response(await stage.send(start, request.SerializeToString(), "asha", seconds=CALL_SECONDS))
    assert made.checkout.id


@by_deadline
async def test_an_order_asked_for_too_late_is_not_begun_and_placed_when_asked_again(
    stage: Stage, seconds: float
) -> None:
    await newcomers_buy(stage)
    place = method_named("PlaceOrder")
    request: Any = place.new_request()
    request.request_id = str(uuid4())
    for name in ("checkout_id", "razorpay_payment_id", "razorpay_order_id", "razorpay_signature"):
        setattr(request, name, stage.known.of("asha", name)[-1])
    before = await at_rest(stage)
    with structlog.testing.capture_logs() as lines:
        code = await ended(stage, place, request.SerializeToString(), "asha", seconds)
    assert code in {LATE, grpc.StatusCode.INVALID_ARGUMENT}
    assert not wrong_of(lines)
    assert await stage.everything_written() == before
    made: Any = place.read_response(await stage.send(place, request.SerializeToString(), "asha"))
    assert made.order.id
    await stage.shop.door().sweep_recent_payments().execute()
    await send_due(stage.shop)
    await check_books(stage.shop)
