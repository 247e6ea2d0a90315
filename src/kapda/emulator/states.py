"""The three state machines as tables: (state, action) -> state; a pair that is not listed is refused.

Order: created until the first payment is tried, attempted until one is captured, then paid for ever, also after a full
refund.

Payment: created while the bank is asked; authorized holds the money; captured makes it the merchant's. A failed payment
may still become authorized: the bank's late yes, or a second try inside the payer's own app. An authorized payment that
nobody captures goes back to the payer (refunded, with `captured` false). A captured one is refunded only by its whole
amount; when such a refund fails later, the money is the merchant's again.

Refund: pending, then processed or failed, both final.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """States of an order."""

    CREATED = "created"
    ATTEMPTED = "attempted"
    PAID = "paid"


class OrderAction(StrEnum):
    """What can happen to an order."""

    ATTEMPT = "attempt"
    PAY = "pay"


class PaymentStatus(StrEnum):
    """States of a payment."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    FAILED = "failed"


class PaymentAction(StrEnum):
    """What can happen to a payment."""

    AUTHORIZE = "authorize"
    FAIL = "fail"
    CAPTURE = "capture"
    RETURN_UNCAPTURED = "return_uncaptured"
    REFUND_IN_FULL = "refund_in_full"
    UNDO_REFUND = "undo_refund"


class RefundStatus(StrEnum):
    """States of a refund."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


class RefundAction(StrEnum):
    """What can happen to a refund."""

    PROCESS = "process"
    FAIL = "fail"


ORDER_MOVES: Final[Mapping[tuple[OrderStatus, OrderAction], OrderStatus]] = {
    (OrderStatus.CREATED, OrderAction.ATTEMPT): OrderStatus.ATTEMPTED,
    (OrderStatus.ATTEMPTED, OrderAction.ATTEMPT): OrderStatus.ATTEMPTED,
    (OrderStatus.ATTEMPTED, OrderAction.PAY): OrderStatus.PAID,
}

PAYMENT_MOVES: Final[Mapping[tuple[PaymentStatus, PaymentAction], PaymentStatus]] = {
    (PaymentStatus.CREATED, PaymentAction.AUTHORIZE): PaymentStatus.AUTHORIZED,
    (PaymentStatus.CREATED, PaymentAction.FAIL): PaymentStatus.FAILED,
    (PaymentStatus.FAILED, PaymentAction.AUTHORIZE): PaymentStatus.AUTHORIZED,
    (PaymentStatus.AUTHORIZED, PaymentAction.CAPTURE): PaymentStatus.CAPTURED,
    (PaymentStatus.AUTHORIZED, PaymentAction.RETURN_UNCAPTURED): PaymentStatus.REFUNDED,
    (PaymentStatus.CAPTURED, PaymentAction.REFUND_IN_FULL): PaymentStatus.REFUNDED,
    (PaymentStatus.REFUNDED, PaymentAction.UNDO_REFUND): PaymentStatus.CAPTURED,
}

REFUND_MOVES: Final[Mapping[tuple[RefundStatus, RefundAction], RefundStatus]] = {
    (RefundStatus.PENDING, RefundAction.PROCESS): RefundStatus.PROCESSED,
    (RefundStatus.PENDING, RefundAction.FAIL): RefundStatus.FAILED,
}


class IllegalMoveError(Exception):
    """The state does not allow the action."""
