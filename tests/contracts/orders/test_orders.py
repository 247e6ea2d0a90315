"""Orders and the books as their ports promise."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.ledger.entries import LedgerTransaction
from kapda.domain.orders.order import Order, OrderState, OrderSummary, OrderVerb, place
from kapda.domain.orders.postings import order_placed
from kapda.domain.orders.reversal import LineQuantity, Returned, Reversal, reverse
from kapda.domain.payments.refund import Refund, RefundKind, RefundState
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, OrderId, PaymentId, RefundId, UserId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, BINOD, NOON, checkout_in, checkout_line, kept_payment, rupees

HOUR = timedelta(hours=1)


async def checkout_and_payment(backing: Backing, number: int, customer: UserId) -> tuple[Checkout, PaymentId]:
    checkout = replace(
        checkout_in(
            CheckoutState.OPENING,
            checkout_line(1, quantity=2),
            checkout_line(2, price=rupees(8_500)),
            shipping=rupees(99),
        ),
        id=CheckoutId(UUID(int=0xC0 + number)),
        cart_id=CartId(UUID(int=0xCA00 + number)),
        customer_id=customer,
    )
    async with backing.unit_of_work() as uow:
        known = await uow.stock.get(checkout.lines[0].variant_id, None)
    if known is None:
        for line in checkout.lines:
            await backing.stock_variant(line.position)
    payment = kept_payment(checkout, number)
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.payments.add(payment)
        await uow.commit()
    return checkout, payment.id


def ordered(checkout: Checkout, payment_id: PaymentId, number: int) -> Order:
    return place(
        checkout,
        order_id=OrderId(UUID(int=0x0D00 + number)),
        number=f"K{number}",
        payment_id=payment_id,
        actor="poller",
        at=NOON + timedelta(minutes=number),
    )


async def keep(backing: Backing, order: Order) -> Order:
    async with backing.unit_of_work() as uow:
        await uow.orders.add(order)
        await uow.commit()
    return order


async def kept(backing: Backing, number: int = 1, customer: UserId = ASHA) -> Order:
    return await keep(backing, ordered(*await checkout_and_payment(backing, number, customer), number))


async def test_orders_are_found_many_at_once_as_they_were_placed(backing: Backing) -> None:
    first, second = await kept(backing, 1, ASHA), await kept(backing, 2, BINOD)
    async with backing.unit_of_work() as uow:
        found = await uow.orders.find_all({first.id, second.id, OrderId(UUID(int=9))})
        assert sorted(found, key=lambda order: order.id) == [first, second]
        assert list(await uow.orders.find_all(set())) == []


async def test_an_order_is_read_as_it_was_placed(backing: Backing) -> None:
    order = await kept(backing)
    async with backing.unit_of_work() as uow:
        for customer in (None, ASHA):
            assert await uow.orders.get(order.id, customer) == order
        assert await uow.orders.of_checkout(order.checkout_id) == order
        checkout = await uow.checkouts.get(order.checkout_id, ASHA)
    assert checkout is not None
    assert checkout.order_id == order.id


async def test_anothers_order_and_none_do_not_exist(backing: Backing) -> None:
    order = await kept(backing)
    async with backing.unit_of_work() as uow:
        assert await uow.orders.get(order.id, BINOD) is None
        assert await uow.orders.get(OrderId(ASHA), None) is None
        assert await uow.orders.of_checkout(CheckoutId(ASHA)) is None


async def test_a_checkout_and_a_payment_make_one_order_each_for_good(backing: Backing) -> None:
    order = await kept(backing)
    checkout, payment_id = await checkout_and_payment(backing, 2, ASHA)
    for twin in (
        replace(order, id=OrderId(ASHA), number="K7", payment_id=payment_id),
        replace(order, id=OrderId(ASHA), number="K7", checkout_id=checkout.id),
    ):
        with pytest.raises(AbortedError) as lost:
            await keep(backing, twin)
        assert lost.value.reason is Reason.CONCURRENT_UPDATE
    await keep(backing, ordered(checkout, payment_id, 2))


async def test_no_number_is_given_twice_and_a_rollback_leaves_a_gap(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        first, second = await uow.orders.next_number(), await uow.orders.next_number()
    async with backing.unit_of_work() as uow:
        third = await uow.orders.next_number()
    assert [first, second, third] == ["K100001", "K100002", "K100003"]


async def test_a_payment_that_is_known_needs_no_number_and_one_that_is_not_gets_the_next(backing: Backing) -> None:
    order = await kept(backing)
    async with backing.unit_of_work() as uow:
        payment = await uow.payments.get(order.payment_id, None)
        assert payment is not None
        assert payment.order_id == order.id
        assert await uow.orders.payment_or_number("pay_Unknown") == "K100001"
        assert await uow.orders.payment_or_number(payment.gateway_payment_id) == payment
        assert await uow.orders.payment_or_number("pay_Unknown") == "K100002"


async def test_orders_are_listed_newest_first_page_by_page(backing: Backing) -> None:
    orders = [await kept(backing, number) for number in (1, 2, 3)]
    await kept(backing, 4, BINOD)
    async with backing.unit_of_work() as uow:
        first = await uow.orders.list(ASHA, PageRequest(2))
        rest = await uow.orders.list(ASHA, PageRequest(2, first.next_cursor))
    assert first.items[0] == OrderSummary(
        id=orders[2].id,
        number="K3",
        state=OrderState.PLACED,
        total=rupees(11_597),
        item_count=3,
        first_title="Handblock kurta",
        placed_at=NOON + timedelta(minutes=3),
    )
    assert [summary.id for summary in (*first.items, *rest.items)] == [orders[2].id, orders[1].id, orders[0].id]
    assert (first.next_cursor, rest.next_cursor) == ((str(orders[1].id),), None)


async def test_a_customer_without_orders_has_an_empty_list(backing: Backing) -> None:
    await kept(backing)
    async with backing.unit_of_work() as uow:
        assert (await uow.orders.list(BINOD, PageRequest())).items == ()


async def test_a_step_of_an_orders_life_is_kept_with_its_state_and_version(backing: Backing) -> None:
    order = await kept(backing)
    cancelled = order.after(OrderVerb.CANCEL, at=NOON + HOUR, reason="changed my mind", actor="customer")
    async with backing.unit_of_work() as uow:
        for customer in (None, ASHA):
            assert await uow.orders.lock(order.id, customer) == order
        assert await uow.orders.lock(order.id, BINOD) is None
        await uow.orders.save(replace(cancelled, shipping=rupees(1), lines=order.lines[:1]))
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.orders.get(order.id, ASHA) == cancelled


async def give_back(backing: Backing, order: Order, number: int, reversal: Reversal) -> None:
    """A refund of the order, and what it takes out of it."""
    refund_id = RefundId(UUID(int=0x4E00 + number))
    async with backing.unit_of_work() as uow:
        payment = await uow.payments.get(order.payment_id, None)
        assert payment is not None
        refund = Refund(
            id=refund_id,
            kind=RefundKind.ORDER_LINES,
            payment_id=payment.id,
            gateway_payment_id=payment.gateway_payment_id,
            order_id=order.id,
            case_id=None,
            amount=reversal.amount,
            state=RefundState.REQUESTED,
            gateway_refund_id=None,
            reason="a torn seam",
            actor="desk",
            requested_at=NOON,
        )
        await uow.refunds.add(refund, NOON)
        await uow.orders.add_reversal(order.id, refund_id, reversal)
        await uow.commit()


async def returned(backing: Backing, order: Order) -> Returned:
    async with backing.unit_of_work() as uow:
        return await uow.orders.returned(order.id)


async def test_what_refunds_have_taken_out_of_an_order_adds_up(backing: Backing) -> None:
    order, other = await kept(backing, 1), await kept(backing, 2)
    nothing = Returned({}, rupees(0))
    assert await returned(backing, order) == nothing
    await give_back(backing, order, 1, reverse(order, nothing, [LineQuantity(1, 1)], rupees(0)))
    assert await returned(backing, order) == Returned({1: 1}, rupees(0))
    rest = [LineQuantity(1, 1), LineQuantity(2, 1)]
    await give_back(backing, order, 2, reverse(order, await returned(backing, order), rest, rupees(99)))
    assert await returned(backing, order) == Returned({1: 2, 2: 1}, rupees(99))
    assert await returned(backing, other) == nothing


async def book(backing: Backing, transaction: LedgerTransaction) -> None:
    async with backing.unit_of_work() as uow:
        await uow.ledger.book(transaction)
        await uow.commit()


async def test_an_order_is_booked_once(backing: Backing) -> None:
    order = await kept(backing)
    await book(backing, order_placed(UUID(int=1), order))
    with pytest.raises(backing.already_booked):
        await book(backing, order_placed(UUID(int=2), order))
    await book(backing, order_placed(UUID(int=2), await kept(backing, 2)))


async def test_without_a_commit_there_is_no_order_and_nothing_is_booked(backing: Backing) -> None:
    order = ordered(*await checkout_and_payment(backing, 1, ASHA), 1)
    async with backing.unit_of_work() as uow:
        await uow.orders.add(order)
        await uow.ledger.book(order_placed(UUID(int=1), order))
    async with backing.unit_of_work() as uow:
        assert await uow.orders.get(order.id, None) is None
    await keep(backing, order)
    await book(backing, order_placed(UUID(int=1), order))
