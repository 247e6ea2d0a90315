"""The payment gateway's words, as far as kapda listens: orders to be paid, and payments made.

Shapes follow Razorpay's API; amounts are integers of the currency's minor unit, times are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.money import Money


@unique
class GatewayPaymentState(Enum):
    """A payment's state at the gateway. FAILED is not final: a bank may confirm up to three days later."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class GatewayOrderRequest:
    """What to ask the gateway to collect. `receipt` is our own unique reference, at most 40 characters.

    Payments are captured by the gateway itself when they finish within `capture_minutes` of their start (12 at least);
    later ones stay authorised until somebody decides.
    """

    receipt: str
    amount: Money
    notes: Mapping[str, str]
    capture_minutes: int


@dataclass(frozen=True, slots=True)
class GatewayOrder:
    """An order at the gateway: the thing a customer pays."""

    id: str
    receipt: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class GatewayPayment:
    """One attempt to pay, as the gateway tells it now.

    `captured` stays true after a refund and false for one that was authorised and given back by the gateway itself.
    """

    id: str
    order_id: str | None
    state: GatewayPaymentState
    amount: Money
    captured: bool
    amount_refunded: Money
    method: str
    created_at: datetime

    @property
    def given_back(self) -> bool:
        """Whether it was authorised, never taken, and is on its way back by the gateway's own doing."""
        return self.state is GatewayPaymentState.REFUNDED and not self.captured


@unique
class GatewayRefundState(Enum):
    """A refund's state at the gateway. PROCESSED comes before the customer's bank has moved."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class GatewayRefundRequest:
    """What to send back. `reference` is our own name for the refund: its receipt and its idempotency key, the same at
    every try with the same amount."""

    payment_id: str
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """Money the gateway sends back. `receipt` is our reference where the refund is ours."""

    id: str
    payment_id: str
    amount: Money
    state: GatewayRefundState
    receipt: str | None
    created_at: datetime


class GatewayUnknownError(UnavailableError):
    """No answer, or none that can be read: the call may have acted or not. Look before calling again."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.GATEWAY_UNAVAILABLE, "the payment gateway did not answer", retry_after=1.0)
        self.detail = detail


class GatewayNotAskedError(GatewayUnknownError):
    """The call was not made, so nothing was done: too many others wait for the gateway."""


class GatewayRefusedError(Exception):
    """The gateway understood and said no; nothing was done.

    `status` is HTTP's; `code`, `reason` and `field` are the gateway's, where it gave them. Not a domain error: what a
    refusal means is for the caller to say.
    """

    def __init__(self, status: int, code: str, description: str, *, reason: str | None, field: str | None) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.status = status
        self.code = code
        self.description = description
        self.reason = reason
        self.field = field
