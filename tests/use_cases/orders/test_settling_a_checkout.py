"""The poller: resumes what broke off, finishes what was paid, and gives back what nobody pays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.policy import GATEWAY_LEASE, OPEN_CHECK_INTERVAL, WATCH_PERIOD
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.payments.gateway import GatewayPaymentState, GatewayUnknownError
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CheckoutId
from tests.fakes.payment_gateway import DIED, DIED_AFTER_ACTING, UNKNOWN, Fault, ProcessDiedError
from tests.fakes.payment_gateway import refused as refused_by_gateway
from tests.fakes.refusals import refused
from tests.fakes.samples import ASHA, rupees
from tests.fakes.shop import Shop


async def left_opening(shop: Shop, fault: Fault = DIED) -> Checkout:
    """A checkout whose process died in the gateway's call."""
    shop.gateway.will("create_order", fault)
    with pytest.raises(ProcessDiedError):
        await shop.check_out_one(pieces=1)
    (row,) = shop.tables.checkouts.values()
    return row.checkout


async def test_a_paid_checkout_is_finished_though_nobody_came_back_and_no_webhook_came(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.gateway.pay(checkout.gateway_order_id or "", GatewayPaymentState.FAILED)
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    assert (shop.the_order().history[0].actor, shop.state(checkout)) == ("poller", CheckoutState.PLACED)


async def test_an_unpaid_checkout_is_left_open_until_its_hold_runs_out(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    kurta = checkout.lines[0].variant_id
    shop.clock.at = checkout.hold_until - timedelta(seconds=1)
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(kurta)) == (CheckoutState.OPEN, (1, 1))
    shop.clock.at = checkout.hold_until
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(kurta)) == (CheckoutState.EXPIRED, (1, 0))
    assert shop.tables.movements[-1].reason == "checkout expired"


async def test_a_hold_is_given_back_only_after_the_gateway_was_asked(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    shop.clock.at = checkout.hold_until
    shop.gateway.will("payments_of_order", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.OPEN, (1, 1))
    await shop.settle(checkout)
    assert shop.state(checkout) is CheckoutState.EXPIRED


async def test_money_that_came_in_the_last_second_is_found_before_the_hold_is_given_back(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    shop.clock.at = checkout.hold_until
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.PLACED, (0, 0))


@pytest.mark.parametrize("fault", [DIED, DIED_AFTER_ACTING])
async def test_an_opening_that_broke_off_is_resumed(shop: Shop, fault: Fault) -> None:
    checkout = await left_opening(shop, fault)
    shop.clock.advance(GATEWAY_LEASE)
    await shop.settle(checkout)
    opened = shop.checkout(checkout.id)
    assert (opened.state, len(shop.gateway.orders)) == (CheckoutState.OPEN, 1)
    assert opened.gateway_order_id in shop.gateway.orders


async def test_an_opening_that_nobody_resumed_in_time_is_not_opened_any_more_and_expires(shop: Shop) -> None:
    checkout = await left_opening(shop)
    shop.clock.at = checkout.pay_before
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.gateway.calls) == (CheckoutState.OPENING, ["create_order"])
    shop.clock.at = checkout.hold_until
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.EXPIRED, (1, 0))


async def test_an_opening_that_the_gateway_refuses_ends_and_is_not_looked_at_again(shop: Shop) -> None:
    checkout = await left_opening(shop)
    shop.clock.advance(GATEWAY_LEASE)
    shop.gateway.will("create_order", Fault(refused_by_gateway("currency not supported")))
    with refused(Reason.CHECKOUT_REFUSED_BY_GATEWAY):
        await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.FAILED, (1, 0))
    assert shop.tables.checkouts[checkout.id].next_check_at is None


async def test_the_next_look_is_due_even_when_this_one_fails(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.gateway.will("payments_of_order", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await shop.settle(checkout)
    assert shop.tables.checkouts[checkout.id].next_check_at == shop.clock.now() + OPEN_CHECK_INTERVAL


async def test_looks_at_what_is_over_grow_rarer_and_end(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.clock.at = checkout.hold_until
    gaps = []
    while (due := shop.tables.checkouts[checkout.id].next_check_at) is not None:
        shop.clock.at = max(due, shop.clock.at)
        before = shop.clock.now()
        await shop.settle(checkout)
        after = shop.tables.checkouts[checkout.id].next_check_at
        gaps.append((after - before) // timedelta(minutes=1) if after is not None else None)
    assert gaps[:7] == [10, 30, 60, 180, 360, 720, 720]
    assert gaps[-1] is None
    assert checkout.created_at + WATCH_PERIOD - timedelta(days=1) < shop.clock.now()


async def test_money_for_what_is_over_is_found_days_later(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await shop.abandon_checkout.execute(AbandonCheckoutCommand(ASHA, shop.new_request(), checkout.id))
    shop.clock.advance(timedelta(days=3))
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    assert [case.kind for case in shop.tables.cases] == [CaseKind.CHECKOUT_ABANDONED]


async def test_a_pin_that_came_to_nothing_is_taken_off(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    row = shop.tables.checkouts[checkout.id]
    pinned = replace(row.checkout, state=CheckoutState.CAPTURING)
    shop.tables.checkouts[checkout.id] = replace(row, checkout=pinned)
    await shop.settle(checkout)
    assert shop.state(checkout) is CheckoutState.OPEN


async def test_a_pin_that_came_to_nothing_after_the_hold_expires_at_once(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    row = shop.tables.checkouts[checkout.id]
    pinned = replace(row.checkout, state=CheckoutState.CAPTURING)
    shop.tables.checkouts[checkout.id] = replace(row, checkout=pinned)
    shop.clock.at = checkout.hold_until
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.EXPIRED, (1, 0))


async def test_looking_twice_at_a_placed_checkout_changes_nothing(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    order = shop.the_order()
    await shop.settle(checkout)
    assert (shop.the_order(), shop.tables.cases, len(shop.tables.ledger)) == (order, [], 1)


async def test_a_checkout_that_does_not_exist_is_no_work(shop: Shop) -> None:
    await shop.settle_checkout.execute(SettleCheckoutCommand(CheckoutId(ASHA)))
    assert (shop.database.commits, shop.gateway.calls) == (0, [])


async def test_several_payments_are_all_finished_in_one_look(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    for amount in (None, rupees(1), None):
        shop.gateway.pay(checkout.gateway_order_id or "", amount=amount)
    await shop.settle(checkout)
    assert shop.the_order().checkout_id == checkout.id
    assert [case.kind for case in shop.tables.cases] == [CaseKind.AMOUNT_MISMATCH, CaseKind.SECOND_PAYMENT]


async def test_a_payment_that_cannot_be_looked_up_does_not_keep_the_next_waiting(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    shop.gateway.pay(checkout.gateway_order_id or "")
    second = shop.gateway.pay(checkout.gateway_order_id or "")
    shop.gateway.will("fetch_payment", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await shop.settle(checkout)
    paid = [payment.gateway_payment_id for payment in shop.tables.payments.values()]
    assert (paid, shop.state(checkout)) == ([second.id], CheckoutState.PLACED)
