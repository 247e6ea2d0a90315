"""Authorised money is captured only while the stock is pinned for it."""

from datetime import timedelta

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.policy import OPEN_CHECK_INTERVAL
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.orders.use_cases.finish_payment import Ending, Finished, FinishPaymentCommand
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState, GatewayUnknownError
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.money import Money
from tests.fakes.payment_gateway import ACTED_BUT_UNKNOWN, DIED, DIED_AFTER_ACTING, UNKNOWN, Fault, ProcessDiedError
from tests.fakes.payment_gateway import refused as refused_by_gateway
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop
from tests.use_cases.orders.doors import DOORS

LONG = timedelta(hours=1)
CAPTURED = GatewayPaymentState.CAPTURED


def authorise(shop: Shop, checkout: Checkout, amount: Money | None = None) -> GatewayPayment:
    return shop.gateway.pay(checkout.gateway_order_id or "", GatewayPaymentState.AUTHORIZED, amount)


async def finish(shop: Shop, payment: GatewayPayment) -> Finished:
    return await shop.finish_payment.execute(FinishPaymentCommand(payment.id, "webhook payment.authorized"))


async def expire(shop: Shop, checkout: Checkout) -> None:
    shop.clock.advance(LONG)
    await shop.settle(checkout)
    assert shop.state(checkout) is CheckoutState.EXPIRED


@pytest.mark.parametrize("door", DOORS)
async def test_an_authorised_payment_is_captured_and_makes_the_order(shop: Shop, door: str) -> None:
    checkout = await shop.check_out_one()
    payment = authorise(shop, checkout)
    await DOORS[door](shop, checkout, payment)
    assert (shop.state(checkout), shop.the_order().total) == (CheckoutState.PLACED, rupees(1_499))
    assert shop.gateway.calls.count("capture") == 1
    assert shop.gateway.payments[payment.id].captured


async def test_the_checkout_is_pinned_while_the_capture_is_on_its_way(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    seen: list[CheckoutState] = []

    async def look() -> None:
        seen.append(shop.state(checkout))

    shop.gateway.meanwhile["capture"] = look
    await finish(shop, authorise(shop, checkout))
    assert seen == [CheckoutState.CAPTURING]


async def test_expiry_keeps_off_while_the_capture_is_on_its_way(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    payment = authorise(shop, checkout)

    async def the_sweep_comes_by() -> None:
        shop.clock.advance(LONG)
        await shop.settle(checkout)

    shop.gateway.meanwhile["capture"] = the_sweep_comes_by
    assert (await finish(shop, payment)).ending is Ending.PLACED
    assert (shop.state(checkout), shop.tables.cases) == (CheckoutState.PLACED, [])


async def test_a_look_that_began_before_the_pin_does_not_unpin(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)

    async def a_payment_and_its_webhook_come_by() -> None:
        payment = authorise(shop, checkout)
        shop.gateway.will("capture", UNKNOWN)
        with pytest.raises(GatewayUnknownError):
            await finish(shop, payment)
        # The list that the poller is given was made before the payment.
        del shop.gateway.payments[payment.id]

    shop.clock.advance(LONG)
    shop.gateway.meanwhile["payments_of_order"] = a_payment_and_its_webhook_come_by
    await shop.settle(checkout)
    assert shop.state(checkout) is CheckoutState.CAPTURING
    assert shop.level(checkout.lines[0].variant_id) == (1, 1)


async def test_a_capture_the_gateway_refuses_is_unpinned(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", Fault(refused_by_gateway("payment is being refunded")))
    assert (await finish(shop, payment)).ending is Ending.WAITING
    assert (shop.state(checkout), shop.tables.payments) == (CheckoutState.OPEN, {})
    assert shop.level(checkout.lines[0].variant_id) == (10, 1)


async def test_a_capture_refused_to_one_door_and_granted_to_another_makes_the_order(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    payment = authorise(shop, checkout)

    async def another_door() -> None:
        await finish(shop, payment)

    shop.gateway.meanwhile["capture"] = another_door
    shop.gateway.will("capture", Fault(refused_by_gateway("in the meantime")))
    # The refusal meets the other door, which unpins; ours goes on to capture.
    assert (await finish(shop, payment)).ending is Ending.PLACED
    assert (await finish(shop, payment)).order == shop.the_order()


@pytest.mark.parametrize("fault", [UNKNOWN, ACTED_BUT_UNKNOWN])
async def test_a_capture_without_an_answer_stays_pinned_and_is_settled_later(shop: Shop, fault: Fault) -> None:
    checkout = await shop.check_out_one(pieces=1)
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", fault)
    with pytest.raises(GatewayUnknownError):
        await finish(shop, payment)
    assert shop.state(checkout) is CheckoutState.CAPTURING
    shop.clock.advance(LONG)
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.the_order().total) == (CheckoutState.PLACED, rupees(1_499))


@pytest.mark.parametrize("fault", [DIED, DIED_AFTER_ACTING])
@pytest.mark.parametrize("door", DOORS)
async def test_a_process_that_died_in_the_capture_is_made_good_by_any_door(shop: Shop, fault: Fault, door: str) -> None:
    checkout = await shop.check_out_one(pieces=1)
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", fault)
    with pytest.raises(ProcessDiedError):
        await finish(shop, payment)
    await DOORS[door](shop, checkout, payment)
    assert (shop.state(checkout), len(shop.tables.payments)) == (CheckoutState.PLACED, 1)


async def test_a_capture_that_came_to_nothing_is_unpinned_and_expires(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await finish(shop, payment)
    shop.gateway.change(payment.id, GatewayPaymentState.REFUNDED, refunded=rupees(1_499))
    await shop.settle(checkout)
    assert shop.state(checkout) is CheckoutState.OPEN
    shop.clock.advance(LONG)
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.EXPIRED, (1, 0))


async def test_late_money_is_captured_when_the_stock_can_be_held_again(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    await expire(shop, checkout)
    assert (await finish(shop, authorise(shop, checkout))).ending is Ending.PLACED
    assert shop.level(checkout.lines[0].variant_id) == (0, 0)


async def test_late_money_is_left_to_the_gateways_refund_when_the_stock_is_gone(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    await expire(shop, checkout)
    await shop.add(checkout.lines[0].variant_id, customer=BINOD)
    await shop.check_out(rupees(1_499), BINOD)
    payment = authorise(shop, checkout)
    assert (await finish(shop, payment)).ending is Ending.WAITING
    assert "capture" not in shop.gateway.calls
    assert (shop.state(checkout), shop.tables.payments) == (CheckoutState.EXPIRED, {})


async def test_late_money_is_left_alone_while_the_cart_has_a_newer_checkout(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await expire(shop, checkout)
    newer = await shop.check_out(rupees(1_499))
    assert (await finish(shop, authorise(shop, checkout))).ending is Ending.WAITING
    assert "capture" not in shop.gateway.calls
    assert (shop.state(checkout), shop.state(newer)) == (CheckoutState.EXPIRED, CheckoutState.OPEN)


async def test_late_money_whose_capture_is_refused_gives_its_stock_back_at_the_next_look(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    await expire(shop, checkout)
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", Fault(refused_by_gateway("payment is being refunded")))
    await finish(shop, payment)
    assert shop.state(checkout) is CheckoutState.OPEN
    shop.gateway.change(payment.id, GatewayPaymentState.REFUNDED, refunded=rupees(1_499))
    await shop.settle(checkout)
    assert (shop.state(checkout), shop.level(checkout.lines[0].variant_id)) == (CheckoutState.EXPIRED, (1, 0))


async def test_money_for_what_is_over_is_not_captured(shop: Shop) -> None:
    abandoned = await shop.check_out_one()
    await shop.abandon_checkout.execute(AbandonCheckoutCommand(ASHA, shop.new_request(), abandoned.id))
    assert (await finish(shop, authorise(shop, abandoned))).ending is Ending.WAITING
    placed = await shop.check_out(rupees(1_499))
    shop.gateway.pay(placed.gateway_order_id or "")
    await shop.settle(placed)
    assert (await finish(shop, authorise(shop, placed))).ending is Ending.WAITING
    assert "capture" not in shop.gateway.calls


async def test_money_of_another_amount_is_not_captured(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    assert (await finish(shop, authorise(shop, checkout, rupees(1)))).ending is Ending.WAITING
    assert ("capture" in shop.gateway.calls, shop.state(checkout)) == (False, CheckoutState.OPEN)


async def test_captured_money_is_used_before_more_is_captured(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    authorise(shop, checkout)
    captured = shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    (kept,) = shop.tables.payments.values()
    assert (kept.gateway_payment_id, shop.tables.cases) == (captured.id, [])
    assert "capture" not in shop.gateway.calls


async def test_two_payments_captured_for_one_checkout_are_an_order_and_a_case(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    first, second = authorise(shop, checkout), authorise(shop, checkout)
    await finish(shop, first)
    shop.gateway.change(second.id, CAPTURED, captured=True)
    await finish(shop, second)
    assert [case.kind for case in shop.tables.cases] == [CaseKind.SECOND_PAYMENT]
    assert shop.the_order().checkout_id == checkout.id


async def test_every_order_of_facts_ends_the_same(shop: Shop) -> None:
    states = [GatewayPaymentState.AUTHORIZED, CAPTURED, GatewayPaymentState.FAILED, GatewayPaymentState.CREATED]
    checkout = await shop.check_out_one()
    payment = shop.gateway.pay(checkout.gateway_order_id or "", GatewayPaymentState.CREATED)
    for state in [GatewayPaymentState.FAILED, *states]:
        shop.gateway.change(payment.id, state, captured=state is CAPTURED)
        await finish(shop, payment)
    assert shop.state(checkout) is CheckoutState.PLACED
    assert (len(shop.tables.orders), len(shop.tables.payments), shop.tables.cases) == (1, 1, [])


async def test_a_late_capture_without_an_answer_is_looked_at_soon(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    await expire(shop, checkout)
    payment = authorise(shop, checkout)
    shop.gateway.will("capture", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await finish(shop, payment)
    row = shop.tables.checkouts[checkout.id]
    assert row.checkout.state is CheckoutState.CAPTURING
    assert row.next_check_at == shop.clock.now() + OPEN_CHECK_INTERVAL
