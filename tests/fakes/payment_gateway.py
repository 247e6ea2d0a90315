"""A payment gateway in memory, held to the same contract as the real one."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayPaymentState,
    GatewayRefund,
    GatewayRefundRequest,
    GatewayRefundState,
    GatewayRefusedError,
    GatewayUnknownError,
)
from kapda.domain.shared.money import Money

Answered = TypeVar("Answered")


class ProcessDiedError(BaseException):
    """Stands for a process that is killed: nothing may catch it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How a call goes wrong: before it has acted, or `after_acting`, when the caller only hears of a failure."""

    error: BaseException
    after_acting: bool = False


UNKNOWN = Fault(GatewayUnknownError("timed out before it acted"))
ACTED_BUT_UNKNOWN = Fault(GatewayUnknownError("acted, and the answer was lost"), after_acting=True)
DIED = Fault(ProcessDiedError())
DIED_AFTER_ACTING = Fault(ProcessDiedError(), after_acting=True)


def refused(description: str, named: str | None = None) -> GatewayRefusedError:
    """A definite no."""
    return GatewayRefusedError(400, "BAD_REQUEST_ERROR", description, reason="input_validation_failed", field=named)


@dataclass
class FakePaymentGateway:
    """PaymentGateway.

    `faults` strike the next calls of their name, one each. `meanwhile` runs once while the next call of its name is on
    its way: what another process does at that moment. `on_call` sees every call before it begins.
    """

    orders: dict[str, GatewayOrder] = field(default_factory=dict)
    payments: dict[str, GatewayPayment] = field(default_factory=dict)
    refunds: dict[str, GatewayRefund] = field(default_factory=dict)
    refund_state: GatewayRefundState = GatewayRefundState.PROCESSED
    page: int = 100
    requests: list[GatewayOrderRequest] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    meanwhile: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    on_call: Callable[[], None] = lambda: None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def will(self, call: str, *faults: Fault) -> None:
        """The next calls of that name end so."""
        self.faults.setdefault(call, []).extend(faults)

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        fault = await self._begin("create_order")
        if request.amount.amount_minor < 100:
            raise refused("The amount must be at least INR 1.00", "amount")
        self.requests.append(request)
        order = GatewayOrder(f"order_{next(self._numbers):014}", request.receipt, request.amount)
        self.orders[order.id] = order
        return _end(fault, order)

    async def find_order(self, receipt: str) -> GatewayOrder | None:
        await self._begin("find_order")
        return next((order for order in reversed(self.orders.values()) if order.receipt == receipt), None)

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        await self._begin("fetch_order")
        return self.orders.get(order_id)

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        await self._begin("fetch_payment")
        return self.payments.get(payment_id)

    async def payments_of_order(self, order_id: str) -> tuple[GatewayPayment, ...]:
        await self._begin("payments_of_order")
        return tuple(payment for payment in self.payments.values() if payment.order_id == order_id)

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        fault = await self._begin("capture")
        payment = self.payments.get(payment_id)
        if payment is None:
            raise refused("The id provided does not exist")
        if payment.amount != amount:
            raise refused("Capture amount must be equal to the amount authorized.", "amount")
        if not payment.captured:
            if payment.state is not GatewayPaymentState.AUTHORIZED:
                raise refused("Only payments which have been authorized can be captured")
            payment = replace(payment, state=GatewayPaymentState.CAPTURED, captured=True)
            self.payments[payment_id] = payment
        return _end(fault, payment)

    async def refund(self, request: GatewayRefundRequest) -> GatewayRefund:
        fault = await self._begin("refund")
        for earlier in self.refunds.values():
            if earlier.receipt == request.reference:
                return _end(fault, earlier)
        payment = self.payments.get(request.payment_id)
        if payment is None or not payment.captured:
            raise refused("The payment status should be captured for action to be taken")
        if payment.amount < payment.amount_refunded + request.amount:
            raise refused("The refund amount provided is greater than amount captured")
        return _end(fault, self.send_back(payment.id, request.amount, receipt=request.reference))

    async def fetch_refund(self, refund_id: str) -> GatewayRefund | None:
        await self._begin("fetch_refund")
        return self.refunds.get(refund_id)

    async def refunds_of_payment(self, payment_id: str) -> tuple[GatewayRefund, ...]:
        await self._begin("refunds_of_payment")
        return tuple(refund for refund in self.refunds.values() if refund.payment_id == payment_id)

    async def payments_since(
        self, since: datetime, until: datetime
    ) -> AsyncGenerator[tuple[GatewayPayment, ...], None]:
        await self._begin("payments_since")
        found = [payment for payment in self.payments.values() if since <= payment.created_at <= until]
        newest_first = sorted(found, key=lambda payment: payment.created_at, reverse=True)
        for start in range(0, len(newest_first), self.page):
            yield tuple(newest_first[start : start + self.page])

    def send_back(
        self,
        payment_id: str,
        amount: Money,
        *,
        receipt: str | None = None,
        state: GatewayRefundState | None = None,
    ) -> GatewayRefund:
        """Makes a refund: for the API with its receipt, for somebody at the dashboard without one."""
        payment = self.payments[payment_id]
        gone = payment.amount_refunded + amount
        whole = GatewayPaymentState.REFUNDED if gone == payment.amount else payment.state
        self.payments[payment_id] = replace(payment, amount_refunded=gone, state=whole)
        refund = GatewayRefund(
            id=f"rfnd_{next(self._numbers):014}",
            payment_id=payment_id,
            amount=amount,
            state=state or self.refund_state,
            receipt=receipt,
            created_at=payment.created_at,
        )
        self.refunds[refund.id] = refund
        return refund

    def end_refund(self, refund_id: str, state: GatewayRefundState) -> GatewayRefund:
        """Plays the bank, later."""
        self.refunds[refund_id] = replace(self.refunds[refund_id], state=state)
        return self.refunds[refund_id]

    def pay(
        self,
        order_id: str,
        state: GatewayPaymentState = GatewayPaymentState.CAPTURED,
        amount: Money | None = None,
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

    def change(
        self, payment_id: str, state: GatewayPaymentState, *, captured: bool = False, refunded: Money | None = None
    ) -> GatewayPayment:
        """Plays the bank, or somebody at the gateway's dashboard, later."""
        before = self.payments[payment_id]
        after = replace(before, state=state, captured=captured, amount_refunded=refunded or before.amount_refunded)
        self.payments[payment_id] = after
        return after

    async def _begin(self, call: str) -> Fault | None:
        self.on_call()
        self.calls.append(call)
        if (elsewhere := self.meanwhile.pop(call, None)) is not None:
            await elsewhere()
        fault = self.faults[call].pop(0) if self.faults.get(call) else None
        if fault is not None and not fault.after_acting:
            raise fault.error
        return fault


def _end(fault: Fault | None, answer: Answered) -> Answered:
    if fault is not None:
        raise fault.error
    return answer
