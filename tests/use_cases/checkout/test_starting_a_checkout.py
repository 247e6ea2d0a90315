"""Prices fixed, stock held, and an order at the gateway to pay."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.checkout.policy import CAPTURE_WINDOW, GATEWAY_LEASE, PAY_WINDOW, ShippingPolicy
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.payments.gateway import GatewayPaymentState
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.money import Money
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, HOME, rupees
from tests.fakes.shop import Shop


def starting(shop: Shop, expected: Money) -> StartCheckoutCommand:
    return StartCheckoutCommand(ASHA, shop.new_request(), HOME, expected)


async def test_a_checkout_holds_the_stock_and_names_the_order_to_pay(shop: Shop) -> None:
    kurta, saree = shop.stock_variant(pieces=5), shop.stock_variant(price=rupees(8_500), pieces=1)
    await shop.add(kurta, 2)
    await shop.add(saree)
    now = shop.clock.now()
    answer = await shop.start_checkout.execute(starting(shop, rupees(11_498)))
    checkout = answer.value
    assert (checkout.state, checkout.total, answer.replayed) == (CheckoutState.OPEN, rupees(11_498), False)
    assert (checkout.created_at, checkout.pay_before) == (now, now + PAY_WINDOW)
    assert (shop.level(kurta), shop.level(saree)) == ((5, 2), (1, 1))
    assert shop.gateway.orders[checkout.gateway_order_id or ""].amount == rupees(11_498)
    assert shop.checkout(checkout.id) == checkout


async def test_the_gateways_order_names_the_checkout_and_is_captured_by_itself_within_its_window(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    (request,) = shop.gateway.requests
    assert (request.receipt, request.amount) == (str(checkout.id), checkout.total)
    assert len(request.receipt) <= 40
    assert request.notes == {"kapda_checkout_id": str(checkout.id)}
    assert timedelta(minutes=request.capture_minutes) == CAPTURE_WINDOW
    assert shop.gateway.calls == ["create_order"]


async def test_the_poller_is_told_of_a_checkout_before_the_gateway_is(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    assert shop.tables.checkouts[checkout.id].next_check_at == checkout.created_at + GATEWAY_LEASE


async def test_the_cart_keeps_its_lines_while_they_are_being_paid_for(shop: Shop) -> None:
    await shop.check_out_one(quantity=2)
    assert [row.quantity for row in shop.tables.cart_lines.values()] == [2]


async def test_nothing_in_the_cart_is_refused(shop: Shop) -> None:
    with refused_with_nothing_committed(shop.database, Reason.CART_EMPTY):
        await shop.check_out(rupees(1))
    await shop.add(shop.stock_variant(), customer=BINOD)
    with refused_with_nothing_committed(shop.database, Reason.CART_EMPTY):
        await shop.check_out(rupees(1_499))


async def test_a_line_that_cannot_be_bought_any_more_is_refused(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=1)
    await shop.add(kurta)
    await shop.add(kurta, customer=BINOD)
    await shop.check_out(rupees(1_499), BINOD)
    with refused_with_nothing_committed(shop.database, Reason.CART_CHANGED) as refusal:
        await shop.check_out(rupees(1_499))
    assert [precondition.type for precondition in refusal.error.preconditions] == ["INSUFFICIENT_STOCK"]
    assert shop.gateway.calls == ["create_order"]


async def test_a_dearer_total_than_agreed_is_refused_and_a_cheaper_one_passed_on(shop: Shop) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    shop.reprice(kurta, rupees(1_600))
    with refused_with_nothing_committed(shop.database, Reason.PRICE_CHANGED):
        await shop.check_out(rupees(1_499))
    shop.reprice(kurta, rupees(1_299))
    assert (await shop.check_out(rupees(1_499))).total == rupees(1_299)


async def test_delivery_is_charged_and_paid_with_the_lines(shop: Shop) -> None:
    shop.charge_shipping(ShippingPolicy(rupees(99)))
    await shop.add(shop.stock_variant())
    with refused_with_nothing_committed(shop.database, Reason.PRICE_CHANGED):
        await shop.check_out(rupees(1_499))
    checkout = await shop.check_out(rupees(1_598))
    assert (checkout.shipping, shop.gateway.requests[0].amount) == (rupees(99), rupees(1_598))


async def test_a_price_between_two_tax_rates_is_refused(shop: Shop) -> None:
    await shop.add(shop.stock_variant(price=rupees(2_800)))
    with refused_with_nothing_committed(shop.database, Reason.PRICE_WITHOUT_GST_RATE):
        await shop.check_out(rupees(2_800))


@pytest.mark.parametrize(("minute", "rate"), [(29, 1_200), (30, 500)])
async def test_a_new_tax_rate_begins_at_midnight_in_india(shop: Shop, minute: int, rate: int) -> None:
    shop.clock.at = datetime(2025, 9, 21, 18, minute, tzinfo=UTC)
    await shop.add(shop.stock_variant(price=rupees(1_200)))
    checkout = await shop.check_out(rupees(1_200))
    assert checkout.lines[0].gst_basis_points == rate


async def test_a_refused_request_is_judged_anew(shop: Shop) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    shop.reprice(kurta, rupees(1_600))
    command = starting(shop, rupees(1_499))
    with refused_with_nothing_committed(shop.database, Reason.PRICE_CHANGED):
        await shop.start_checkout.execute(command)
    shop.reprice(kurta, rupees(1_499))
    assert not (await shop.start_checkout.execute(command)).replayed


async def test_a_request_sent_again_is_answered_as_the_first_time(shop: Shop) -> None:
    await shop.add(shop.stock_variant(pieces=1))
    command = starting(shop, rupees(1_499))
    first = await shop.start_checkout.execute(command)
    again = await shop.start_checkout.execute(command)
    assert (again.value, again.replayed) == (first.value, True)
    assert (len(shop.tables.checkouts), shop.gateway.calls) == (1, ["create_order"])


async def test_a_request_sent_again_after_the_order_was_placed_is_still_answered_as_the_first_time(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    command = starting(shop, rupees(1_499))
    first = await shop.start_checkout.execute(command)
    shop.gateway.pay(first.value.gateway_order_id or "")
    await shop.settle(first.value)
    assert shop.state(first.value) is CheckoutState.PLACED
    assert await shop.start_checkout.execute(command) == replace(first, replayed=True)


async def test_a_request_id_is_not_used_for_another_checkout(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    command = starting(shop, rupees(1_499))
    await shop.start_checkout.execute(command)
    for other in (
        replace(command, address=replace(HOME, line1="15 Prabhat Road")),
        replace(command, expected_total=rupees(1_500)),
    ):
        with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
            await shop.start_checkout.execute(other)


async def test_an_unchanged_cart_is_given_its_live_checkout_again(shop: Shop) -> None:
    await shop.add(shop.stock_variant(pieces=1))
    first = await shop.check_out(rupees(1_499))
    command = starting(shop, rupees(1_499))
    second = await shop.start_checkout.execute(command)
    assert (second.value, second.replayed) == (first, False)
    assert await shop.start_checkout.execute(command) == replace(second, replayed=True)
    assert (len(shop.tables.checkouts), shop.gateway.calls) == (1, ["create_order"])


async def test_a_changed_cart_supersedes_its_checkout_and_takes_over_its_hold(shop: Shop) -> None:
    kurta, saree = shop.stock_variant(pieces=2), shop.stock_variant(pieces=1)
    await shop.add(kurta, 2)
    first = await shop.check_out(rupees(2_998))
    await shop.add(saree)
    second = await shop.check_out(rupees(4_497))
    assert (shop.state(first), shop.state(second)) == (CheckoutState.SUPERSEDED, CheckoutState.OPEN)
    assert (shop.level(kurta), shop.level(saree)) == ((2, 2), (1, 1))
    assert second.gateway_order_id != first.gateway_order_id


async def test_another_address_is_another_checkout_even_of_the_last_piece(shop: Shop) -> None:
    first = await shop.check_out_one(pieces=1)
    command = replace(starting(shop, rupees(1_499)), address=replace(HOME, line1="15 Prabhat Road"))
    second = (await shop.start_checkout.execute(command)).value
    assert shop.state(first) is CheckoutState.SUPERSEDED
    assert shop.level(second.lines[0].variant_id) == (1, 1)


async def test_after_the_pay_window_the_same_cart_starts_anew(shop: Shop) -> None:
    first = await shop.check_out_one(pieces=1)
    shop.clock.advance(PAY_WINDOW)
    second = await shop.check_out(rupees(1_499))
    assert second.id != first.id
    assert (shop.state(first), second.pay_before) == (CheckoutState.SUPERSEDED, shop.clock.now() + PAY_WINDOW)


async def test_while_a_payment_is_being_captured_no_other_checkout_starts(shop: Shop) -> None:
    first = await shop.check_out_one()
    pinned = replace(first, state=CheckoutState.CAPTURING)
    shop.tables.checkouts[first.id] = replace(shop.tables.checkouts[first.id], checkout=pinned)
    shop.gateway.pay(first.gateway_order_id or "", GatewayPaymentState.AUTHORIZED)
    for expected in (rupees(1_499), rupees(2_998)):
        with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_STATE_INVALID) as refusal:
            await shop.check_out(expected)
        assert refusal.error.metadata["state"] == "capturing"


async def test_a_replacement_that_is_refused_leaves_the_live_checkout_alone(shop: Shop) -> None:
    first = await shop.check_out_one()
    kurta = first.lines[0].variant_id
    shop.reprice(kurta, rupees(1_600))
    with refused_with_nothing_committed(shop.database, Reason.PRICE_CHANGED):
        await shop.check_out(rupees(1_499))
    assert (shop.state(first), shop.level(kurta)) == (CheckoutState.OPEN, (10, 1))


async def test_after_a_purchase_the_same_piece_can_be_bought_again(shop: Shop) -> None:
    first = await shop.check_out_one()
    shop.gateway.pay(first.gateway_order_id or "")
    await shop.settle(first)
    kurta = first.lines[0].variant_id
    await shop.add(kurta)
    second = await shop.check_out(rupees(1_499))
    assert second.id != first.id
    assert (shop.state(first), shop.level(kurta)) == (CheckoutState.PLACED, (9, 1))
