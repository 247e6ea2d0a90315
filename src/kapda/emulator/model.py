"""Orders, payments and refunds as Razorpay keeps them; amounts in paise, times in Unix seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kapda.emulator.states import (
    ORDER_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    IllegalMoveError,
    OrderAction,
    OrderStatus,
    PaymentAction,
    PaymentStatus,
    RefundAction,
    RefundStatus,
)

# Razorpay's own pages say three days or five; whoever copes with three copes with five.
CAPTURE_LIMIT_SECONDS = 3 * 24 * 60 * 60
_FEE_PERCENT = 2
_GST_PERCENT = 18


def fee_and_tax(amount: int) -> tuple[int, int]:
    """Returns Razorpay's fee in paise, its GST included, and that GST; each part is rounded half up."""
    base = (amount * _FEE_PERCENT + 50) // 100
    tax = (base * _GST_PERCENT + 50) // 100
    return base + tax, tax


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """What becomes of an authorised payment; seconds after the payment's creation.

    Inside `window` it is captured by itself when that is `automatic`; not captured until `limit`, it goes back.
    """

    automatic: bool
    window: int
    limit: int = CAPTURE_LIMIT_SECONDS


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a payment failed, in the words of a payment's `error_*` members."""

    code: str
    description: str
    source: str
    step: str
    reason: str


@dataclass(slots=True)
class Order:
    """One order and what was paid on it."""

    id: str
    amount: int
    currency: str
    receipt: str | None
    notes: Mapping[str, object]
    capture: CapturePolicy
    created_at: int
    status: OrderStatus = OrderStatus.CREATED
    attempts: int = 0
    amount_paid: int = 0

    def attempt(self) -> None:
        """Counts a try.

        Raises:
            IllegalMoveError: it is paid.
        """
        self._move(OrderAction.ATTEMPT)
        self.attempts += 1

    def pay(self, amount: int) -> None:
        """Books a captured payment.

        Raises:
            IllegalMoveError: it is paid, or was never tried.
        """
        self._move(OrderAction.PAY)
        self.amount_paid += amount

    def _move(self, action: OrderAction) -> None:
        target = ORDER_MOVES.get((self.status, action))
        if target is None:
            raise IllegalMoveError(f"an order that is {self.status} cannot {action}")
        self.status = target


@dataclass(slots=True)
class Instrument:
    """How the customer pays; members of the other methods stay null."""

    method: str
    acquirer_data: dict[str, str | None]
    card: dict[str, object] | None = None
    bank: str | None = None
    vpa: str | None = None
    email: str | None = None
    contact: str | None = None


@dataclass(slots=True)
class Payment:
    """One try of a customer to pay one order."""

    id: str
    order_id: str
    amount: int
    currency: str
    instrument: Instrument
    created_at: int
    status: PaymentStatus = PaymentStatus.CREATED
    captured: bool = False
    amount_refunded: int = 0
    fee: int | None = None
    tax: int | None = None
    failure: Failure | None = None

    def authorize(self) -> None:
        """Notes the bank's yes, also after a failure."""
        self._move(PaymentAction.AUTHORIZE)
        self.failure = None

    def fail(self, failure: Failure) -> None:
        """Notes the bank's or the customer's no."""
        self._move(PaymentAction.FAIL)
        self.failure = failure

    def capture(self) -> None:
        """Takes the money."""
        self._move(PaymentAction.CAPTURE)
        self.captured = True
        self.fee, self.tax = fee_and_tax(self.amount)

    def return_uncaptured(self) -> None:
        """Gives authorised money back without ever having taken it."""
        self._move(PaymentAction.RETURN_UNCAPTURED)
        self.amount_refunded = self.amount

    def refund(self, amount: int) -> None:
        """Gives part or all of captured money back; the caller has checked that it is there."""
        if self.amount_refunded + amount == self.amount:
            self._move(PaymentAction.REFUND_IN_FULL)
        self.amount_refunded += amount

    def undo_refund(self, amount: int) -> None:
        """Takes a failed refund's amount back into what is the merchant's."""
        if amount > self.amount_refunded:
            raise IllegalMoveError(f"{self.amount_refunded} were refunded, {amount} cannot be taken back")
        if self.status is PaymentStatus.REFUNDED:
            self._move(PaymentAction.UNDO_REFUND)
        self.amount_refunded -= amount

    def _move(self, action: PaymentAction) -> None:
        target = PAYMENT_MOVES.get((self.status, action))
        if target is None:
            raise IllegalMoveError(f"a payment that is {self.status} cannot {action}")
        self.status = target


@dataclass(slots=True)
class Refund:
    """Money on its way back to the customer."""

    id: str
    payment_id: str
    amount: int
    currency: str
    receipt: str | None
    notes: Mapping[str, object]
    speed_requested: str | None
    created_at: int
    status: RefundStatus = RefundStatus.PENDING
    speed_processed: str | None = None
    acquirer_data: dict[str, str | None] = field(default_factory=lambda: {"arn": None})

    def process(self) -> None:
        """Notes that the money left; instant speed is not offered, so it is always normal."""
        self._move(RefundAction.PROCESS)
        self.speed_processed = "normal"

    def fail(self) -> None:
        """Notes that the money could not be given back."""
        self._move(RefundAction.FAIL)

    def _move(self, action: RefundAction) -> None:
        target = REFUND_MOVES.get((self.status, action))
        if target is None:
            raise IllegalMoveError(f"a refund that is {self.status} cannot {action}")
        self.status = target
