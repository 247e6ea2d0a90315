"""Captured money as its port promises."""

from dataclasses import replace
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.order import place
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, OrderId, PaymentId
from kapda.domain.shared.money import Money
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, BINOD, NOON, checkout_in, kept_payment, payment_of, rupees


async def checkout_kept(backing: Backing, number: int = 1) -> Checkout:
    """Asha's open checkout."""
    opening = replace(
        checkout_in(CheckoutState.OPENING),
        id=CheckoutId(UUID(int=0xC0 + number)),
        cart_id=CartId(UUID(int=0xCA + number)),
    )
    async with backing.unit_of_work() as uow:
        known = await uow.stock.get(opening.lines[0].variant_id, None)
    if known is None:
        await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(opening, NOON, NOON)
        await uow.commit()
    return opening


async def added(backing: Backing, payment: Payment) -> Payment:
    async with backing.unit_of_work() as uow:
        await uow.payments.add(payment)
        await uow.commit()
    return payment


async def test_a_payment_is_read_as_it_was_kept(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    async with backing.unit_of_work() as uow:
        assert await uow.payments.by_gateway_id(payment.gateway_payment_id) == payment
        for customer in (None, ASHA):
            assert await uow.payments.get(payment.id, customer) == payment


async def test_another_currency_is_kept_as_it_came(backing: Backing) -> None:
    checkout = await checkout_kept(backing)
    dollars = replace(payment_of(checkout), amount=Money(149_900, "USD"))
    payment = replace(kept_payment(checkout), amount=dollars.amount)
    await added(backing, payment)
    async with backing.unit_of_work() as uow:
        kept = await uow.payments.get(payment.id, None)
    assert kept is not None
    assert kept.amount == Money(149_900, "USD")


async def test_anothers_payment_and_none_do_not_exist(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    async with backing.unit_of_work() as uow:
        assert await uow.payments.get(payment.id, BINOD) is None
        assert await uow.payments.get(PaymentId(ASHA), None) is None
        assert await uow.payments.by_gateway_id("pay_Unknown") is None


async def test_a_payment_at_the_gateway_is_kept_once(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    with pytest.raises(AbortedError) as lost:
        await added(backing, replace(payment, id=PaymentId(ASHA)))
    assert lost.value.reason is Reason.CONCURRENT_UPDATE
    other = replace(kept_payment(await checkout_kept(backing, 2), 2), gateway_payment_id=payment.gateway_payment_id)
    with pytest.raises(AbortedError):
        await added(backing, other)


async def test_a_payment_shows_the_order_it_paid(backing: Backing) -> None:
    checkout = await checkout_kept(backing)
    payment = await added(backing, kept_payment(checkout))
    second = await added(backing, kept_payment(checkout, 2))
    order_id = OrderId(UUID(int=0x0D))
    async with backing.unit_of_work() as uow:
        await uow.orders.add(
            place(checkout, order_id=order_id, number="K1", payment_id=payment.id, actor="poller", at=NOON)
        )
        assert await uow.payments.by_gateway_id(payment.gateway_payment_id) == replace(payment, order_id=order_id)
        assert await uow.payments.get(payment.id, ASHA) == replace(payment, order_id=order_id)
        assert await uow.payments.get(second.id, ASHA) == second


async def test_only_what_is_left_of_a_payment_is_promised_back(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    async with backing.unit_of_work() as uow:
        assert await uow.payments.reserve_refund(payment.id, rupees(1_000))
        assert not await uow.payments.reserve_refund(payment.id, rupees(500))
        assert await uow.payments.reserve_refund(payment.id, rupees(499))
        assert not await uow.payments.reserve_refund(payment.id, Money(1, "INR"))
        await uow.payments.release_refund(payment.id, rupees(1_000))
        assert await uow.payments.lock(payment.id) == replace(payment, refund_reserved=rupees(499))
        assert not await uow.payments.reserve_refund(PaymentId(ASHA), rupees(1))
        assert await uow.payments.lock(PaymentId(ASHA)) is None


async def test_a_payment_of_which_all_has_gone_is_refunded(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    async with backing.unit_of_work() as uow:
        assert await uow.payments.reserve_refund(payment.id, payment.amount)
        await uow.payments.note_refunded(payment.id, rupees(1_000))
        assert await uow.payments.get(payment.id, None) == replace(
            payment, refund_reserved=payment.amount, refunded=rupees(1_000)
        )
        await uow.payments.note_refunded(payment.id, rupees(499))
        assert await uow.payments.get(payment.id, None) == replace(
            payment, refund_reserved=payment.amount, refunded=payment.amount, state=PaymentState.REFUNDED
        )


async def test_what_came_back_to_the_gateway_is_still_promised(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    async with backing.unit_of_work() as uow:
        assert await uow.payments.reserve_refund(payment.id, payment.amount)
        await uow.payments.note_refunded(payment.id, payment.amount)
        await uow.payments.note_returned(payment.id, rupees(499))
        assert await uow.payments.get(payment.id, None) == replace(
            payment, refund_reserved=payment.amount, refunded=rupees(1_000), state=PaymentState.CAPTURED
        )


async def test_payments_kept_or_noted_are_known(backing: Backing) -> None:
    payment = await added(backing, kept_payment(await checkout_kept(backing)))
    foreign = replace(payment_of(checkout_in(CheckoutState.OPEN)), id="pay_Foreign")
    async with backing.unit_of_work() as uow:
        await uow.payments.note_foreign(foreign, NOON)
        asked = [payment.gateway_payment_id, foreign.id, "pay_Unknown"]
        assert await uow.payments.known(asked) == {payment.gateway_payment_id, foreign.id}
        assert await uow.payments.known([]) == frozenset()


async def test_a_foreign_payment_is_noted_however_often(backing: Backing) -> None:
    checkout = checkout_in(CheckoutState.OPEN)
    for foreign in (payment_of(checkout), replace(payment_of(checkout), order_id=None, amount=Money(1, "USD"))):
        async with backing.unit_of_work() as uow:
            await uow.payments.note_foreign(foreign, NOON)
            await uow.payments.note_foreign(foreign, NOON)
            await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.payments.by_gateway_id(payment_of(checkout).id) is None
