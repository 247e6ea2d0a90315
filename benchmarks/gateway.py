"""A payment gateway inside the server's own process, that answers at once: the bench is about kapda, not about Razorpay.

It keeps nothing. An order's id says its amount, a payment's id says its order, and every payment is captured; so any
number of processes agree, and the load generator makes up the payment and its signature without asking anybody.
"""

import hashlib
import hmac
import re
import string
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayPaymentState,
    GatewayRefund,
    GatewayRefundRequest,
    GatewayRefundState,
)
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.money import INR, Money

_DIGITS = string.digits + string.ascii_letters
_AMOUNT_DIGITS = 6
_RECEIPT_DIGITS = 12
_ID = re.compile(r"(?:order|pay)_([0-9a-zA-Z]{18})")


@dataclass(frozen=True, slots=True)
class Triple:
    """What the gateway's page hands to the browser of somebody who paid."""

    payment_id: str
    order_id: str
    signature: str


def pay(order_id: str, key_secret: str) -> Triple:
    """Pay the order, as a browser does."""
    payment_id = order_id.replace("order_", "pay_")
    signature = hmac.new(key_secret.encode(), f"{order_id}|{payment_id}".encode(), hashlib.sha256).hexdigest()
    return Triple(payment_id, order_id, signature)


@dataclass(frozen=True, slots=True)
class InstantGateway:
    """PaymentGateway. Money that nobody gave is captured, and refunds arrive at once."""

    clock: Clock

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        """See the port."""
        receipt = int.from_bytes(hashlib.sha256(request.receipt.encode()).digest()[:8])
        number = _in_base_62(request.amount.amount_minor, _AMOUNT_DIGITS) + _in_base_62(receipt, _RECEIPT_DIGITS)
        return GatewayOrder(f"order_{number}", request.receipt, request.amount)

    async def find_order(self, _receipt: str) -> GatewayOrder | None:
        """See the port."""
        return None

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        """See the port."""
        amount = _amount_of(order_id)
        return GatewayOrder(order_id, None, amount) if amount else None

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        """See the port."""
        amount = _amount_of(payment_id)
        return _captured(payment_id, amount, self.clock.now()) if amount else None

    async def payments_of_order(self, _order_id: str) -> tuple[GatewayPayment, ...]:
        """See the port."""
        return ()

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        """See the port."""
        return _captured(payment_id, amount, self.clock.now())

    async def refund(self, request: GatewayRefundRequest) -> GatewayRefund:
        """See the port."""
        refund_id = f"rfnd_{hashlib.sha256(request.reference.encode()).hexdigest()[:14]}"
        state, now = GatewayRefundState.PROCESSED, self.clock.now()
        return GatewayRefund(refund_id, request.payment_id, request.amount, state, request.reference, now)

    async def fetch_refund(self, _refund_id: str) -> GatewayRefund | None:
        """See the port."""
        return None

    async def refunds_of_payment(self, _payment_id: str) -> tuple[GatewayRefund, ...]:
        """See the port."""
        return ()

    async def payments_since(
        self, _since: datetime, _until: datetime
    ) -> AsyncGenerator[tuple[GatewayPayment, ...], None]:
        """See the port."""
        yield ()

    async def close(self) -> None:
        """Nothing was opened."""


def _captured(payment_id: str, amount: Money, at: datetime) -> GatewayPayment:
    return GatewayPayment(
        id=payment_id,
        order_id=payment_id.replace("pay_", "order_"),
        state=GatewayPaymentState.CAPTURED,
        amount=amount,
        captured=True,
        amount_refunded=Money.zero(INR),
        method="upi",
        created_at=at,
    )


def _in_base_62(number: int, digits: int) -> str:
    found = []
    for _ in range(digits):
        number, digit = divmod(number, len(_DIGITS))
        found.append(_DIGITS[digit])
    return "".join(reversed(found))


def _amount_of(entity_id: str) -> Money | None:
    match = _ID.fullmatch(entity_id)
    if match is None:
        return None
    amount = 0
    for digit in match[1][:_AMOUNT_DIGITS]:
        amount = amount * len(_DIGITS) + _DIGITS.index(digit)
    return Money(amount, INR)
