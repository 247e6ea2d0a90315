"""What kapda keeps of a payment: one row for each payment the gateway captured for one of our checkouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.ids import CaseId, CheckoutId, OrderId, PaymentId
from kapda.domain.shared.money import Money


@unique
class PaymentState(Enum):
    """CAPTURED: the money is in. REFUNDED: all of it went back."""

    CAPTURED = "captured"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Payment:
    """Captured money. `order_id` names the order it paid, None while no order has it."""

    id: PaymentId
    checkout_id: CheckoutId
    gateway_payment_id: str
    gateway_order_id: str
    state: PaymentState
    amount: Money
    method: str
    captured_at: datetime
    order_id: OrderId | None


@unique
class CaseKind(Enum):
    """Why captured money has no order."""

    AMOUNT_MISMATCH = "amount_mismatch"
    SECOND_PAYMENT = "second_payment"
    CHECKOUT_SUPERSEDED = "checkout_superseded"
    CHECKOUT_ABANDONED = "checkout_abandoned"
    CHECKOUT_FAILED = "checkout_failed"
    STOCK_GONE = "stock_gone"
    REFUNDED_AT_GATEWAY = "refunded_at_gateway"
    GATEWAY_ORDER_UNKNOWN = "gateway_order_unknown"


@dataclass(frozen=True, slots=True)
class PaymentCase:
    """Captured money awaiting its ending, with what was known when it was found."""

    id: CaseId
    kind: CaseKind
    gateway_payment_id: str
    payment_id: PaymentId
    checkout_id: CheckoutId
    amount: Money
    evidence: Mapping[str, str]
    opened_at: datetime
