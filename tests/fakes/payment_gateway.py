"""A payment gateway in memory, held to the same contract as the real one."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayPaymentState,
    GatewayRefusedError,
)
from kapda.domain.shared.money import Money


@dataclass
class FakePaymentGateway:
    """PaymentGateway. `fail_next` is raised by the next call, before it acts, or after it with `fail_after_acting`."""

    orders: dict[str, GatewayOrder] = field(default_factory=dict)
    payments: dict[str, GatewayPayment] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    fail_next: Exception | None = None
    fail_after_acting: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        self._begin("create_order")
        if request.amount.amount_minor < 100:
            raise _no("The amount must be at least INR 1.00", "amount")
        order = GatewayOrder(f"order_{next(self._numbers):014}", request.receipt, request.amount)
        self.orders[order.id] = order
        self._end()
        return order

    async def find_order(self, receipt: str) -> GatewayOrder | None:
        self._begin("find_order")
        return next((order for order in reversed(self.orders.values()) if order.receipt == receipt), None)

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        self._begin("fetch_order")
        return self.orders.get(order_id)

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        self._begin("fetch_payment")
        return self.payments.get(payment_id)

    async def payments_of_order(self, order_id: str) -> tuple[GatewayPayment, ...]:
        self._begin("payments_of_order")
        return tuple(payment for payment in self.payments.values() if payment.order_id == order_id)

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        self._begin("capture")
        payment = self.payments.get(payment_id)
        if payment is None:
            raise _no("The id provided does not exist", None)
        if payment.amount != amount:
            raise _no("Capture amount must be equal to the amount authorized.", "amount")
        if not payment.captured:
            if payment.state is not GatewayPaymentState.AUTHORIZED:
                raise _no("Only payments which have been authorized can be captured", None)
            payment = replace(payment, state=GatewayPaymentState.CAPTURED, captured=True)
            self.payments[payment_id] = payment
        self._end()
        return payment

    def pay(
        self, order_id: str, state: GatewayPaymentState = GatewayPaymentState.CAPTURED, amount: Money | None = None
    ) -> GatewayPayment:
        """Plays the customer, and the bank's answer."""
        order = self.orders[order_id]
        payment = GatewayPayment(
            id=f"pay_{next(self._numbers):014}",
            order_id=order_id,
            state=state,
            amount=amount or order.amount,
            captured=state is GatewayPaymentState.CAPTURED,
            amount_refunded=Money.zero(order.amount.currency),
            method="upi",
            created_at=datetime.now(UTC).replace(microsecond=0),
        )
        self.payments[payment.id] = payment
        return payment

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if not self.fail_after_acting:
            self._fail()

    def _end(self) -> None:
        if self.fail_after_acting:
            self._fail()

    def _fail(self) -> None:
        failure, self.fail_next = self.fail_next, None
        if failure is not None:
            raise failure


def _no(description: str, named: str | None) -> GatewayRefusedError:
    return GatewayRefusedError(400, "BAD_REQUEST_ERROR", description, reason="input_validation_failed", field=named)
