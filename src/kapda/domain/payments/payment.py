"""What kapda keeps of a payment: one row for each payment the gateway captured for one of our checkouts."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.ids import CheckoutId, OrderId, PaymentId
from kapda.domain.shared.money import Money


@unique
class PaymentState(Enum):
    """CAPTURED: the money is in. REFUNDED: all of it went back."""

    CAPTURED = "captured"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Payment:
    """Captured money. `order_id` names the order it paid, None while no order has it.

    `refund_reserved` is what refunds of it have been promised, `refunded` what of that has gone.
    """

    id: PaymentId
    checkout_id: CheckoutId
    gateway_payment_id: str
    gateway_order_id: str
    state: PaymentState
    amount: Money
    method: str
    captured_at: datetime
    refund_reserved: Money
    refunded: Money
    order_id: OrderId | None

    @property
    def left(self) -> Money:
        """What can still be promised back."""
        return self.amount - self.refund_reserved
