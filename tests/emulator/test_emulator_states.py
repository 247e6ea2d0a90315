"""Every state with every action: moves to the table's state or is refused and changes nothing."""

import itertools
from collections.abc import Callable

import pytest

from kapda.emulator.model import CapturePolicy, Failure, Instrument, Order, Payment, Refund, fee_and_tax
from kapda.emulator.states import (
    IllegalMoveError,
    OrderAction,
    OrderStatus,
    PaymentAction,
    PaymentStatus,
    RefundAction,
    RefundStatus,
)

ORDER = {
    ("created", "attempt"): "attempted",
    ("attempted", "attempt"): "attempted",
    ("attempted", "pay"): "paid",
}
PAYMENT = {
    ("created", "authorize"): "authorized",
    ("created", "fail"): "failed",
    ("failed", "authorize"): "authorized",
    ("authorized", "capture"): "captured",
    ("authorized", "return_uncaptured"): "refunded",
    ("captured", "refund_in_full"): "refunded",
    ("refunded", "undo_refund"): "captured",
}
REFUND = {("pending", "process"): "processed", ("pending", "fail"): "failed"}


@pytest.mark.parametrize(("state", "action"), list(itertools.product(OrderStatus, OrderAction)))
def test_an_order_moves_as_documented(state: OrderStatus, action: OrderAction) -> None:
    order = Order("order_1", 500, "INR", None, {}, CapturePolicy(automatic=True, window=720), 0, status=state)

    def act() -> None:
        if action is OrderAction.ATTEMPT:
            order.attempt()
        else:
            order.pay(500)

    _expect(ORDER.get((state, action)), act, lambda: order.status, state)


@pytest.mark.parametrize(("state", "action"), list(itertools.product(PaymentStatus, PaymentAction)))
def test_a_payment_moves_as_documented(state: PaymentStatus, action: PaymentAction) -> None:
    refunded = 500 if state is PaymentStatus.REFUNDED else 0
    payment = Payment("pay_1", "order_1", 500, "INR", Instrument("upi", {}), 0, status=state, amount_refunded=refunded)

    def act() -> None:
        match action:
            case PaymentAction.AUTHORIZE:
                payment.authorize()
            case PaymentAction.FAIL:
                payment.fail(Failure("BAD_REQUEST_ERROR", "no", "bank", "payment_authorization", "payment_failed"))
            case PaymentAction.CAPTURE:
                payment.capture()
            case PaymentAction.RETURN_UNCAPTURED:
                payment.return_uncaptured()
            case PaymentAction.REFUND_IN_FULL:
                payment.refund(500 - payment.amount_refunded)
            case PaymentAction.UNDO_REFUND:
                payment.undo_refund(500)

    _expect(PAYMENT.get((state, action)), act, lambda: payment.status, state)


@pytest.mark.parametrize(("state", "action"), list(itertools.product(RefundStatus, RefundAction)))
def test_a_refund_moves_as_documented(state: RefundStatus, action: RefundAction) -> None:
    refund = Refund("rfnd_1", "pay_1", 500, "INR", None, {}, None, 0, status=state)
    act = refund.process if action is RefundAction.PROCESS else refund.fail
    _expect(REFUND.get((state, action)), act, lambda: refund.status, state)


def test_a_partial_refund_leaves_a_payment_captured_until_the_rest_follows() -> None:
    payment = Payment("pay_1", "order_1", 500, "INR", Instrument("upi", {}), 0, status=PaymentStatus.CAPTURED)
    payment.refund(200)
    assert (payment.status, payment.amount_refunded) == (PaymentStatus.CAPTURED, 200)
    payment.refund(300)
    assert (payment.status, payment.amount_refunded) == (PaymentStatus.REFUNDED, 500)
    payment.undo_refund(300)
    assert (payment.status, payment.amount_refunded) == (PaymentStatus.CAPTURED, 200)


@pytest.mark.parametrize(("amount", "fee", "tax"), [(100, 2, 0), (1000, 24, 4), (2100, 50, 8), (500_000, 11_800, 1800)])
def test_the_fee_is_two_per_cent_and_its_gst(amount: int, fee: int, tax: int) -> None:
    assert fee_and_tax(amount) == (fee, tax)


def _expect(target: str | None, act: Callable[[], None], now: Callable[[], str], before: str) -> None:
    if target is None:
        with pytest.raises(IllegalMoveError):
            act()
        assert now() == before
    else:
        act()
        assert now() == target
