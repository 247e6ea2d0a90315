"""The browser comes back from paying: its proof is checked, then the gateway itself is asked."""

from dataclasses import replace

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.use_cases.place_order import PlaceOrderCommand
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState, GatewayUnknownError
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CheckoutId
from tests.fakes.payment_gateway import UNKNOWN, Fault
from tests.fakes.payment_gateway import refused as refused_by_gateway
from tests.fakes.refusals import refused, refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop
from tests.fakes.signatures import checkout_signature


@pytest.fixture
async def checkout(shop: Shop) -> Checkout:
    return await shop.check_out_one()


@pytest.fixture
def payment(shop: Shop, checkout: Checkout) -> GatewayPayment:
    return shop.gateway.pay(checkout.gateway_order_id or "")


@pytest.fixture
def command(shop: Shop, checkout: Checkout, payment: GatewayPayment) -> PlaceOrderCommand:
    return shop.coming_back(checkout, payment)


async def test_a_paid_checkout_becomes_an_order(shop: Shop, command: PlaceOrderCommand, checkout: Checkout) -> None:
    answer = await shop.place_order.execute(command)
    order = shop.the_order()
    assert (answer.value, answer.replayed) == (order, False)
    assert (order.checkout_id, order.total, order.history[0].actor) == (
        checkout.id,
        rupees(1_499),
        f"customer {ASHA}",
    )
    assert shop.state(checkout) is CheckoutState.PLACED


async def test_a_request_sent_again_is_answered_as_the_first_time_without_asking_the_gateway(
    shop: Shop, command: PlaceOrderCommand
) -> None:
    first = await shop.place_order.execute(command)
    calls = len(shop.gateway.calls)
    assert await shop.place_order.execute(command) == replace(first, replayed=True)
    assert (len(shop.gateway.calls), len(shop.tables.orders)) == (calls, 1)


async def test_another_request_for_the_same_payment_finds_the_order(shop: Shop, command: PlaceOrderCommand) -> None:
    first = await shop.place_order.execute(command)
    other = replace(command, request_id=shop.new_request())
    assert await shop.place_order.execute(other) == first
    assert await shop.place_order.execute(other) == replace(first, replayed=True)
    assert len(shop.tables.orders) == 1


async def test_an_order_that_another_door_placed_is_found_without_asking_the_gateway(
    shop: Shop, command: PlaceOrderCommand, checkout: Checkout
) -> None:
    await shop.settle(checkout)
    calls = len(shop.gateway.calls)
    answer = await shop.place_order.execute(command)
    assert (answer.value, answer.replayed, len(shop.gateway.calls)) == (shop.the_order(), False, calls)


async def test_a_request_id_is_not_used_for_another_payment(
    shop: Shop, command: PlaceOrderCommand, checkout: Checkout
) -> None:
    await shop.place_order.execute(command)
    second = shop.gateway.pay(checkout.gateway_order_id or "")
    with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
        await shop.place_order.execute(shop.coming_back(checkout, second, command.request_id))


@pytest.mark.parametrize("signature", ["", "x", "0" * 64])
async def test_a_wrong_signature_is_refused_before_anything_is_asked(
    shop: Shop, command: PlaceOrderCommand, signature: str
) -> None:
    calls = len(shop.gateway.calls)
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID) as refusal:
        await shop.place_order.execute(replace(command, signature=signature))
    assert [violation.field for violation in refusal.error.violations] == ["razorpay_signature"]
    assert len(shop.gateway.calls) == calls


async def test_a_valid_triple_of_another_order_is_worth_nothing_here(shop: Shop, checkout: Checkout) -> None:
    cheap = shop.stock_variant(price=rupees(1))
    await shop.add(cheap, customer=BINOD)
    bought = await shop.check_out(rupees(1), BINOD)
    paid = shop.gateway.pay(bought.gateway_order_id or "")
    triple = shop.coming_back(bought, paid)
    assert checkout_signature(triple.gateway_order_id, triple.gateway_payment_id) == triple.signature
    stolen = replace(triple, customer_id=ASHA, checkout_id=checkout.id)
    for attempt in (stolen, replace(stolen, gateway_order_id=checkout.gateway_order_id or "")):
        with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID):
            await shop.place_order.execute(attempt)
    assert shop.tables.orders == {}


async def test_a_valid_triple_of_the_customers_own_other_order_is_worth_nothing_here(
    shop: Shop, command: PlaceOrderCommand
) -> None:
    first = await shop.place_order.execute(command)
    dear = shop.stock_variant(price=rupees(9_999))
    await shop.add(dear)
    second = await shop.check_out(rupees(9_999))
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID):
        await shop.place_order.execute(replace(command, request_id=shop.new_request(), checkout_id=second.id))
    assert shop.the_order() == first.value


async def test_a_payment_that_the_gateway_says_is_another_orders_is_refused_whatever_the_signature(
    shop: Shop, command: PlaceOrderCommand, payment: GatewayPayment
) -> None:
    other = await shop.check_out_one(customer=BINOD)
    shop.gateway.payments[payment.id] = replace(payment, order_id=other.gateway_order_id)
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_MISMATCH) as refusal:
        await shop.place_order.execute(command)
    assert refusal.error.metadata == {
        "checkout_id": str(command.checkout_id),
        "razorpay_payment_id": payment.id,
    }


async def test_another_customers_checkout_does_not_exist(shop: Shop, command: PlaceOrderCommand) -> None:
    for attempt in (replace(command, customer_id=BINOD), replace(command, checkout_id=CheckoutId(ASHA))):
        with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_NOT_FOUND):
            await shop.place_order.execute(attempt)


async def test_a_checkout_that_was_never_opened_takes_no_signature(shop: Shop, command: PlaceOrderCommand) -> None:
    row = shop.tables.checkouts[command.checkout_id]
    unopened = replace(row.checkout, state=CheckoutState.OPENING, gateway_order_id=None)
    shop.tables.checkouts[command.checkout_id] = replace(row, checkout=unopened)
    empty = replace(command, gateway_order_id="", signature=checkout_signature("", command.gateway_payment_id))
    for attempt in (command, empty):
        with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID):
            await shop.place_order.execute(attempt)


@pytest.mark.parametrize("state", [GatewayPaymentState.CREATED, GatewayPaymentState.FAILED])
async def test_a_payment_that_is_not_captured_makes_no_order_and_the_request_can_be_sent_again(
    shop: Shop, command: PlaceOrderCommand, payment: GatewayPayment, state: GatewayPaymentState
) -> None:
    shop.gateway.change(payment.id, state)
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_NOT_CAPTURED):
        await shop.place_order.execute(command)
    shop.gateway.change(payment.id, GatewayPaymentState.CAPTURED, captured=True)
    answer = await shop.place_order.execute(command)
    assert (answer.value, answer.replayed) == (shop.the_order(), False)


async def test_a_capture_refused_is_told_and_the_request_can_be_sent_again(
    shop: Shop, command: PlaceOrderCommand, payment: GatewayPayment, checkout: Checkout
) -> None:
    shop.gateway.change(payment.id, GatewayPaymentState.AUTHORIZED)
    shop.gateway.will("capture", Fault(refused_by_gateway("payment is being refunded")))
    with refused(Reason.PAYMENT_NOT_CAPTURED):
        await shop.place_order.execute(command)
    assert shop.state(checkout) is CheckoutState.OPEN
    assert (await shop.place_order.execute(command)).value == shop.the_order()


@pytest.mark.parametrize("call", ["fetch_payment", "capture"])
async def test_without_the_gateways_word_the_caller_is_told_to_come_back(
    shop: Shop, command: PlaceOrderCommand, payment: GatewayPayment, call: str
) -> None:
    shop.gateway.change(payment.id, GatewayPaymentState.AUTHORIZED)
    shop.gateway.will(call, UNKNOWN)
    with pytest.raises(GatewayUnknownError) as told:
        await shop.place_order.execute(command)
    assert told.value.retry_after == pytest.approx(1)
    answer = await shop.place_order.execute(command)
    assert (answer.value, answer.replayed) == (shop.the_order(), False)
    assert (await shop.place_order.execute(command)).replayed


async def test_money_that_cannot_become_an_order_is_under_review_each_time_it_is_asked_for(
    shop: Shop, checkout: Checkout
) -> None:
    wrong = shop.gateway.pay(checkout.gateway_order_id or "", amount=rupees(1))
    command = shop.coming_back(checkout, wrong)
    for _ in range(2):
        with refused(Reason.PAYMENT_UNDER_REVIEW) as refusal:
            await shop.place_order.execute(command)
        (case,) = shop.tables.cases
        assert refusal.error.metadata == {
            "checkout_id": str(checkout.id),
            "razorpay_payment_id": wrong.id,
            "case_id": str(case.id),
            "case_kind": "amount_mismatch",
        }


async def test_a_second_payment_of_a_placed_checkout_goes_back(
    shop: Shop, command: PlaceOrderCommand, checkout: Checkout
) -> None:
    await shop.place_order.execute(command)
    second = shop.gateway.pay(checkout.gateway_order_id or "")
    with refused(Reason.PAYMENT_REFUNDED):
        await shop.place_order.execute(shop.coming_back(checkout, second))
    assert [case.kind for case in shop.tables.cases] == [CaseKind.SECOND_PAYMENT]


async def test_a_commit_that_fails_leaves_nothing_and_the_request_can_be_sent_again(
    shop: Shop, command: PlaceOrderCommand
) -> None:
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await shop.place_order.execute(command)
    assert shop.tables.orders == {}
    assert not (await shop.place_order.execute(command)).replayed
