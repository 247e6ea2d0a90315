"""Captured money becomes one order or one case, whichever door learns of it first."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.ledger.entries import Account
from kapda.domain.orders.use_cases.finish_payment import Ending, Finished, FinishPaymentCommand
from kapda.domain.payments.gateway import GatewayOrder, GatewayPayment, GatewayPaymentState, GatewayUnknownError
from kapda.domain.payments.payment_case import CaseKind, PaymentCase
from kapda.domain.shared.money import Money
from tests.fakes.payment_gateway import UNKNOWN
from tests.fakes.samples import ASHA, BINOD, HOME, rupees
from tests.fakes.shop import Shop
from tests.use_cases.orders.doors import DOORS

LONG = timedelta(hours=1)


def pay(shop: Shop, checkout: Checkout, amount: Money | None = None) -> GatewayPayment:
    """Captured by the gateway itself."""
    return shop.gateway.pay(checkout.gateway_order_id or "", amount=amount)


async def finish(shop: Shop, payment: GatewayPayment) -> Finished:
    return await shop.finish_payment.execute(FinishPaymentCommand(payment.id, "webhook payment.captured"))


def the_case(shop: Shop) -> PaymentCase:
    """The one case there is, its money booked as nobody's yet."""
    (case,) = shop.tables.cases
    (booked,) = [transaction for transaction in shop.tables.ledger if transaction.reference_id == case.id]
    assert [(entry.account, entry.amount) for entry in booked.entries] == [
        (Account.GATEWAY_RECEIVABLE, case.amount),
        (Account.UNASSIGNED_RECEIPTS, -case.amount),
    ]
    return case


@pytest.mark.parametrize("order_of_doors", [list(order) for order in permutations(DOORS)])
async def test_through_whatever_door_and_however_often_one_payment_makes_one_order(
    shop: Shop, order_of_doors: list[str]
) -> None:
    checkout = await shop.check_out_one(quantity=2)
    payment = pay(shop, checkout)
    for door in [*order_of_doors, *order_of_doors]:
        await DOORS[door](shop, checkout, payment)
        assert shop.the_order().payment_id in shop.tables.payments
    assert (len(shop.tables.payments), len(shop.tables.ledger), len(shop.tables.cases)) == (1, 1, 0)
    assert shop.level(checkout.lines[0].variant_id) == (8, 0)
    assert "capture" not in shop.gateway.calls


async def test_an_order_is_made_with_all_that_belongs_to_it_in_one_transaction(shop: Shop) -> None:
    checkout = await shop.check_out_one(quantity=2)
    payment = pay(shop, checkout)
    commits = shop.database.commits
    finished = await finish(shop, payment)
    assert shop.database.commits == commits + 1
    order = shop.the_order()
    assert (finished.ending, finished.order, finished.replayed) == (Ending.PLACED, order, False)
    assert (order.total, order.address, order.number) == (rupees(2_998), HOME, "K100001")
    assert (order.history[0].actor, order.placed_at) == ("webhook payment.captured", shop.clock.now())
    kept = shop.tables.payments[order.payment_id]
    assert (kept.gateway_payment_id, kept.gateway_order_id, kept.amount) == (
        payment.id,
        checkout.gateway_order_id,
        rupees(2_998),
    )
    assert shop.state(checkout) is CheckoutState.PLACED
    assert shop.tables.cart_lines == {}
    assert shop.tables.ledger[0].reference_id == order.id


async def test_an_order_is_not_looked_after_until_its_hold_would_have_ended(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await finish(shop, pay(shop, checkout))
    assert shop.tables.checkouts[checkout.id].next_check_at == checkout.hold_until


async def test_the_event_of_an_order_leaves_with_it(shop: Shop) -> None:
    await finish(shop, pay(shop, await shop.check_out_one()))
    order = shop.the_order()
    (row,) = shop.tables.outbox[order.id]
    assert (row.sequence, row.event.type) == (1, "order.placed")
    assert row.event.payload == {
        "order_id": str(order.id),
        "number": "K100001",
        "customer_id": str(ASHA),
        "payment_id": str(order.payment_id),
        "total_minor": 149_900,
        "currency_code": "INR",
    }


async def test_only_what_was_bought_leaves_the_cart(shop: Shop) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    checkout = await shop.check_out(rupees(1_499))
    saree = shop.stock_variant()
    await shop.add(kurta, 2)
    await shop.add(saree)
    await finish(shop, pay(shop, checkout))
    assert {variant: row.quantity for (_, variant), row in shop.tables.cart_lines.items()} == {kurta: 2, saree: 1}


async def test_a_commit_that_fails_leaves_nothing_and_another_look_makes_it_good(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = pay(shop, checkout)
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await finish(shop, payment)
    assert (shop.tables.orders, shop.tables.payments, shop.tables.outbox) == ({}, {}, {})
    await finish(shop, payment)
    assert shop.the_order().number == "K100002"


@pytest.mark.parametrize(
    "amount", [rupees(1), rupees(1_498), rupees(1_500), Money(149_900, "USD")], ids=["1", "less", "more", "dollars"]
)
async def test_another_amount_or_currency_never_makes_an_order(shop: Shop, amount: Money) -> None:
    checkout = await shop.check_out_one()
    finished = await finish(shop, pay(shop, checkout, amount))
    case = the_case(shop)
    assert (finished.ending, finished.case) == (Ending.CASE, case)
    assert (case.kind, case.amount) == (CaseKind.AMOUNT_MISMATCH, amount)
    assert shop.state(checkout) is CheckoutState.OPEN
    assert shop.level(checkout.lines[0].variant_id) == (10, 1)


async def test_a_case_keeps_what_was_known_and_tells_of_itself(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = pay(shop, checkout, rupees(1))
    await finish(shop, payment)
    case = the_case(shop)
    assert case.evidence == {
        "checkout_state": "open",
        "checkout_total": "INR 1,499.00",
        "checkout_gateway_order_id": checkout.gateway_order_id,
        "payment_gateway_order_id": checkout.gateway_order_id,
        "payment_amount": "INR 1.00",
        "payment_amount_refunded": "INR 0.00",
        "payment_state": "captured",
    }
    (row,) = shop.tables.outbox[case.id]
    assert (row.event.type, row.event.payload["kind"]) == ("payment_case.opened", "amount_mismatch")


@pytest.mark.parametrize("door", DOORS)
async def test_a_case_is_opened_once_and_found_by_every_later_door(shop: Shop, door: str) -> None:
    checkout = await shop.check_out_one()
    payment = pay(shop, checkout, rupees(1))
    await finish(shop, payment)
    before = the_case(shop)
    await DOORS[door](shop, checkout, payment)
    again = await finish(shop, payment)
    assert (again.ending, again.case, the_case(shop)) == (Ending.CASE, before, before)


async def test_a_checkout_can_still_be_paid_after_a_wrong_amount(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await finish(shop, pay(shop, checkout, rupees(1)))
    finished = await finish(shop, pay(shop, checkout))
    assert finished.ending is Ending.PLACED
    assert the_case(shop).kind is CaseKind.AMOUNT_MISMATCH


async def test_a_second_payment_of_a_placed_checkout_is_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    first, second = pay(shop, checkout), pay(shop, checkout)
    await finish(shop, first)
    assert (await finish(shop, second)).ending is Ending.CASE
    assert the_case(shop).kind is CaseKind.SECOND_PAYMENT
    assert (await finish(shop, first)).order == shop.the_order()
    assert len(shop.tables.payments) == 2


async def test_money_for_a_superseded_checkout_is_a_case_and_the_newer_one_lives_on(shop: Shop) -> None:
    first = await shop.check_out_one()
    await shop.add(first.lines[0].variant_id)
    second = await shop.check_out(rupees(2_998))
    await finish(shop, pay(shop, first))
    assert the_case(shop).kind is CaseKind.CHECKOUT_SUPERSEDED
    assert (await finish(shop, pay(shop, second))).ending is Ending.PLACED


async def test_money_for_an_abandoned_checkout_is_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await shop.abandon_checkout.execute(AbandonCheckoutCommand(ASHA, shop.new_request(), checkout.id))
    await finish(shop, pay(shop, checkout))
    assert the_case(shop).kind is CaseKind.CHECKOUT_ABANDONED
    assert shop.level(checkout.lines[0].variant_id) == (10, 0)


async def test_money_for_an_expired_checkout_buys_what_is_still_there(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    shop.clock.advance(LONG)
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.EXPIRED, (1, 0))
    assert (await finish(shop, pay(shop, checkout))).ending is Ending.PLACED
    assert shop.level(checkout.lines[0].variant_id) == (0, 0)


async def test_money_for_an_expired_checkout_whose_stock_is_gone_is_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    shop.clock.advance(LONG)
    await shop.settle(checkout)
    kurta = checkout.lines[0].variant_id
    await shop.add(kurta, customer=BINOD)
    others = await shop.check_out(rupees(1_499), BINOD)
    await finish(shop, pay(shop, checkout))
    assert the_case(shop).kind is CaseKind.STOCK_GONE
    assert (shop.state(checkout), shop.state(others)) == (CheckoutState.EXPIRED, CheckoutState.OPEN)
    assert shop.level(kurta) == (1, 1)


async def test_money_that_has_gone_back_already_is_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = pay(shop, checkout)
    shop.gateway.change(payment.id, GatewayPaymentState.CAPTURED, captured=True, refunded=rupees(100))
    await finish(shop, payment)
    assert the_case(shop).kind is CaseKind.REFUNDED_AT_GATEWAY
    assert shop.state(checkout) is CheckoutState.OPEN


async def test_a_refund_of_an_orders_payment_does_not_touch_the_order(shop: Shop) -> None:
    payment = pay(shop, await shop.check_out_one())
    await finish(shop, payment)
    order = shop.the_order()
    shop.gateway.change(payment.id, GatewayPaymentState.REFUNDED, captured=True, refunded=rupees(1_499))
    assert (await finish(shop, payment)).order == order
    assert shop.tables.cases == []


async def test_a_withdrawn_product_that_was_paid_in_time_is_sold_at_the_agreed_price(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    kurta = checkout.lines[0].variant_id
    shop.take_off_sale(kurta)
    shop.reprice(kurta, rupees(9_999))
    assert (await finish(shop, pay(shop, checkout))).ending is Ending.PLACED
    assert shop.the_order().total == rupees(1_499)


@pytest.mark.parametrize("receipt", [None, "", "invoice 17", "9999", str(ASHA)])
async def test_money_for_something_else_is_noted_once_and_left_alone(shop: Shop, receipt: str | None) -> None:
    await shop.check_out_one()
    shop.gateway.orders["order_Foreign"] = GatewayOrder("order_Foreign", receipt, rupees(500))
    payment = shop.gateway.pay("order_Foreign")
    for _ in range(2):
        assert (await finish(shop, payment)).ending is Ending.FOREIGN
    assert list(shop.tables.foreign_payments) == [payment.id]
    assert (shop.tables.payments, shop.tables.cases) == ({}, [])


async def test_a_payment_without_an_order_is_foreign(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = pay(shop, checkout)
    shop.gateway.payments[payment.id] = replace(payment, order_id=None)
    assert (await finish(shop, payment)).ending is Ending.FOREIGN
    assert list(shop.tables.foreign_payments) == [payment.id]


async def test_an_order_at_the_gateway_that_names_our_checkout_and_that_we_never_opened_is_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.gateway.orders["order_Twin"] = GatewayOrder("order_Twin", str(checkout.id), checkout.total)
    payment = shop.gateway.pay("order_Twin")
    assert (await finish(shop, payment)).ending is Ending.CASE
    case = the_case(shop)
    assert (case.kind, case.checkout_id) == (CaseKind.GATEWAY_ORDER_UNKNOWN, checkout.id)
    assert case.evidence["payment_gateway_order_id"] == "order_Twin"
    assert shop.state(checkout) is CheckoutState.OPEN


@pytest.mark.parametrize("state", [GatewayPaymentState.CREATED, GatewayPaymentState.FAILED])
async def test_without_money_there_is_nothing_to_do_yet(shop: Shop, state: GatewayPaymentState) -> None:
    checkout = await shop.check_out_one()
    payment = shop.gateway.pay(checkout.gateway_order_id or "", state)
    commits = shop.database.commits
    assert (await finish(shop, payment)).ending is Ending.WAITING
    assert (shop.database.commits, shop.tables.payments) == (commits, {})


async def test_a_payment_the_gateway_does_not_know_yet_is_waited_for(shop: Shop) -> None:
    finished = await shop.finish_payment.execute(FinishPaymentCommand("pay_Unknown", "poller"))
    assert finished.ending is Ending.WAITING
    assert shop.tables.foreign_payments == {}


async def test_a_failed_payment_that_succeeds_after_all_makes_the_order(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = shop.gateway.pay(checkout.gateway_order_id or "", GatewayPaymentState.FAILED)
    await finish(shop, payment)
    shop.gateway.change(payment.id, GatewayPaymentState.CAPTURED, captured=True)
    assert (await finish(shop, payment)).ending is Ending.PLACED


@pytest.mark.parametrize("call", ["fetch_payment", "fetch_order"])
async def test_without_the_gateways_word_nothing_is_decided(shop: Shop, call: str) -> None:
    shop.gateway.orders["order_Foreign"] = GatewayOrder("order_Foreign", None, rupees(500))
    payment = shop.gateway.pay("order_Foreign")
    shop.gateway.will(call, UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await finish(shop, payment)
    assert (shop.database.commits, shop.tables.foreign_payments) == (0, {})
