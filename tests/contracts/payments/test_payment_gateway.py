"""What every payment gateway does: the fake of the use-case tests, and Razorpay's adapter against the emulator."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx
import pytest

from kapda.adapters.razorpay.gateway import RazorpayGateway
from kapda.adapters.razorpay.pool import RazorpayAccess
from kapda.domain.payments.gateway import (
    GatewayOrderRequest,
    GatewayPayment,
    GatewayPaymentState,
    GatewayRefundRequest,
    GatewayRefundState,
    GatewayRefusedError,
)
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.money import INR, Money
from kapda.emulator import EmulatorSettings, serving
from tests.fakes.payment_gateway import FakePaymentGateway

PRICE = Money(129_900, INR)
UNKNOWN = "00000000000000"


class World(Protocol):
    """A gateway and its customers."""

    @property
    def gateway(self) -> PaymentGateway: ...

    async def pay(self, order_id: str, state: GatewayPaymentState) -> str:
        """Pays, and returns the payment's id."""
        ...


@dataclass
class FakeWorld:
    gateway: FakePaymentGateway

    async def pay(self, order_id: str, state: GatewayPaymentState) -> str:
        return self.gateway.pay(order_id, state).id


@dataclass
class EmulatedWorld:
    gateway: RazorpayGateway
    http: httpx.AsyncClient

    async def pay(self, order_id: str, state: GatewayPaymentState) -> str:
        outcomes = {
            GatewayPaymentState.CAPTURED: "success",
            GatewayPaymentState.AUTHORIZED: "authorize_only",
            GatewayPaymentState.FAILED: "failure",
            GatewayPaymentState.CREATED: "late",
        }
        answer = await self.http.post("/emulator/pay", json={"order_id": order_id, "outcome": outcomes[state]})
        triple = answer.raise_for_status().json()
        paid: str = triple.get("razorpay_payment_id") or triple["error"]["metadata"]["payment_id"]
        return paid


@pytest.fixture(params=["fake", "razorpay"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld(FakePaymentGateway())
        return
    async with (
        serving(EmulatorSettings(key_id="rzp_test_contract", key_secret="contract secret")) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        access = RazorpayAccess(key_id="rzp_test_contract", key_secret="contract secret", base_url=url, threads=2)
        gateway = RazorpayGateway(access)
        async with aclosing(_Closing(gateway)):
            yield EmulatedWorld(gateway, http)


@dataclass
class _Closing:
    gateway: RazorpayGateway

    async def aclose(self) -> None:
        await self.gateway.close()


def order_of(receipt: str = "checkout-1", amount: Money = PRICE) -> GatewayOrderRequest:
    return GatewayOrderRequest(receipt=receipt, amount=amount, notes={"checkout": receipt}, capture_minutes=12)


async def test_an_order_is_made_for_its_amount_and_found_again(world: World) -> None:
    made = await world.gateway.create_order(order_of())
    assert (made.receipt, made.amount) == ("checkout-1", PRICE)
    assert await world.gateway.fetch_order(made.id) == made
    assert await world.gateway.find_order("checkout-1") == made


async def test_the_newest_order_of_a_receipt_is_found(world: World) -> None:
    await world.gateway.create_order(order_of())
    newer = await world.gateway.create_order(order_of())
    assert await world.gateway.find_order("checkout-1") == newer


async def test_what_does_not_exist_is_none_or_empty(world: World) -> None:
    assert await world.gateway.find_order("nothing") is None
    assert await world.gateway.fetch_order(f"order_{UNKNOWN}") is None
    assert await world.gateway.fetch_payment(f"pay_{UNKNOWN}") is None
    assert await world.gateway.payments_of_order(f"order_{UNKNOWN}") == ()


async def test_what_is_no_id_is_none_or_empty(world: World) -> None:
    assert await world.gateway.fetch_order("../payments") is None
    assert await world.gateway.fetch_payment("pay_1/../../orders") is None
    assert await world.gateway.fetch_payment("") is None
    assert await world.gateway.payments_of_order("order_1?count=1") == ()


async def test_too_small_an_amount_is_refused_with_its_field(world: World) -> None:
    with pytest.raises(GatewayRefusedError) as refused:
        await world.gateway.create_order(order_of(amount=Money(99, INR)))
    assert (refused.value.status, refused.value.code, refused.value.field) == (400, "BAD_REQUEST_ERROR", "amount")
    assert await world.gateway.find_order("checkout-1") is None


@pytest.mark.parametrize(
    "state",
    [
        GatewayPaymentState.CAPTURED,
        GatewayPaymentState.AUTHORIZED,
        GatewayPaymentState.FAILED,
        GatewayPaymentState.CREATED,
    ],
)
async def test_a_payment_is_told_as_it_is(world: World, state: GatewayPaymentState) -> None:
    order = await world.gateway.create_order(order_of())
    payment_id = await world.pay(order.id, state)
    payment = await world.gateway.fetch_payment(payment_id)
    assert payment is not None
    assert (payment.id, payment.order_id, payment.state) == (payment_id, order.id, state)
    assert (payment.amount, payment.amount_refunded) == (PRICE, Money.zero())
    assert payment.captured is (state is GatewayPaymentState.CAPTURED)
    assert payment.method == "upi"
    assert abs(datetime.now(UTC) - payment.created_at) < timedelta(minutes=1)


async def test_every_try_of_an_order_is_listed(world: World) -> None:
    order = await world.gateway.create_order(order_of())
    other = await world.gateway.create_order(order_of("checkout-2"))
    failed = await world.pay(order.id, GatewayPaymentState.FAILED)
    paid = await world.pay(order.id, GatewayPaymentState.CAPTURED)
    await world.pay(other.id, GatewayPaymentState.CAPTURED)
    assert {payment.id for payment in await world.gateway.payments_of_order(order.id)} == {failed, paid}


async def test_authorised_money_is_captured_and_a_second_capture_answers_the_same(world: World) -> None:
    order = await world.gateway.create_order(order_of())
    payment_id = await world.pay(order.id, GatewayPaymentState.AUTHORIZED)
    first = await world.gateway.capture(payment_id, PRICE)
    assert (first.state, first.captured) == (GatewayPaymentState.CAPTURED, True)
    assert await world.gateway.capture(payment_id, PRICE) == first


async def test_another_amount_a_failed_payment_and_no_payment_are_not_captured(world: World) -> None:
    order = await world.gateway.create_order(order_of())
    failed = await world.pay(order.id, GatewayPaymentState.FAILED)
    authorised = await world.pay(order.id, GatewayPaymentState.AUTHORIZED)
    for payment_id, amount in (
        (failed, PRICE),
        (authorised, Money(PRICE.amount_minor - 1, INR)),
        (f"pay_{UNKNOWN}", PRICE),
        ("../orders", PRICE),
    ):
        with pytest.raises(GatewayRefusedError):
            await world.gateway.capture(payment_id, amount)
    payment = await world.gateway.fetch_payment(authorised)
    assert payment is not None
    assert payment.state is GatewayPaymentState.AUTHORIZED


REFERENCE = "0199b0f0-0000-7000-8000-000000000001"


async def _captured(world: World) -> str:
    order = await world.gateway.create_order(GatewayOrderRequest("checkout-refunds", PRICE, {}, 12))
    return await world.pay(order.id, GatewayPaymentState.CAPTURED)


async def test_a_refund_is_made_once_a_reference_and_found_by_id_and_by_payment(world: World) -> None:
    payment_id = await _captured(world)
    request = GatewayRefundRequest(payment_id, Money(50_000, INR), REFERENCE)
    made = await world.gateway.refund(request)
    assert (made.payment_id, made.amount, made.receipt) == (payment_id, Money(50_000, INR), REFERENCE)
    assert await world.gateway.refund(request) == made
    assert await world.gateway.refunds_of_payment(payment_id) == (made,)
    fetched = await world.gateway.fetch_refund(made.id)
    assert fetched is not None
    assert (fetched.id, fetched.state) == (made.id, GatewayRefundState.PROCESSED)
    payment = await world.gateway.fetch_payment(payment_id)
    assert payment is not None
    assert (payment.captured, payment.amount_refunded) == (True, Money(50_000, INR))


async def test_more_than_was_captured_and_money_that_was_not_are_not_refunded(world: World) -> None:
    payment_id = await _captured(world)
    held = await world.pay(
        (await world.gateway.create_order(GatewayOrderRequest("checkout-held", PRICE, {}, 12))).id,
        GatewayPaymentState.AUTHORIZED,
    )
    for payment, amount in ((payment_id, Money(129_901, INR)), (held, PRICE), (f"pay_{UNKNOWN}", PRICE)):
        with pytest.raises(GatewayRefusedError):
            await world.gateway.refund(GatewayRefundRequest(payment, amount, REFERENCE))
    assert await world.gateway.refunds_of_payment(payment_id) == ()


async def test_a_whole_refund_leaves_the_payment_captured_and_refunded(world: World) -> None:
    payment_id = await _captured(world)
    await world.gateway.refund(GatewayRefundRequest(payment_id, PRICE, REFERENCE))
    payment = await world.gateway.fetch_payment(payment_id)
    assert payment is not None
    assert (payment.state, payment.captured) == (GatewayPaymentState.REFUNDED, True)


async def test_refunds_that_are_not_there_are_none(world: World) -> None:
    assert await world.gateway.fetch_refund(f"rfnd_{UNKNOWN}") is None
    assert await world.gateway.fetch_refund("rfnd_../payments") is None
    assert await world.gateway.refunds_of_payment(f"pay_{UNKNOWN}") == ()


async def test_the_accounts_payments_are_listed_by_when_they_were_made(world: World) -> None:
    payment_id = await _captured(world)
    now = datetime.now(UTC)
    recent = await listed(world, now - timedelta(minutes=1), now + timedelta(minutes=1))
    assert payment_id in {payment.id for payment in recent}
    assert await listed(world, now - timedelta(days=2), now - timedelta(days=1)) == []


async def test_a_long_list_of_payments_is_told_whole_newest_first_and_each_once(world: World) -> None:
    order = await world.gateway.create_order(order_of())
    made = [await world.pay(order.id, GatewayPaymentState.FAILED) for _ in range(250)]
    now = datetime.now(UTC)
    found = await listed(world, now - timedelta(minutes=10), now + timedelta(minutes=1))
    assert sorted(payment.id for payment in found) == sorted(made)
    times = [payment.created_at for payment in found]
    assert times == sorted(times, reverse=True)


async def listed(world: World, since: datetime, until: datetime) -> list[GatewayPayment]:
    return [payment async for page in world.gateway.payments_since(since, until) for payment in page]
