"""Payments, their cases and their refunds in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.payments.payment_case import CaseState, PaymentCase
from kapda.domain.payments.refund import UNDER_WAY, Refund
from kapda.domain.shared.ids import CaseId, PaymentId, RefundId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.checkouts import lost_race
from tests.fakes.tables import RefundRow, Tables


class InMemoryPayments:
    """Payments."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, payment: Payment) -> None:
        if await self.by_gateway_id(payment.gateway_payment_id) is not None:
            raise lost_race()
        self._tables.payments[payment.id] = payment

    async def by_gateway_id(self, gateway_payment_id: str) -> Payment | None:
        payments = self._tables.payments.values()
        found = next((row for row in payments if row.gateway_payment_id == gateway_payment_id), None)
        return self._with_order(found) if found is not None else None

    async def get(self, payment_id: PaymentId, customer_id: UserId | None) -> Payment | None:
        payment = self._tables.payments.get(payment_id)
        if payment is None:
            return None
        owner = self._tables.checkouts[payment.checkout_id].checkout.customer_id
        return self._with_order(payment) if customer_id in (None, owner) else None

    async def lock(self, payment_id: PaymentId) -> Payment | None:
        return await self.get(payment_id, None)

    async def reserve_refund(self, payment_id: PaymentId, amount: Money) -> bool:
        payment = self._tables.payments.get(payment_id)
        if payment is None or payment.left < amount:
            return False
        self._tables.payments[payment_id] = replace(payment, refund_reserved=payment.refund_reserved + amount)
        return True

    async def release_refund(self, payment_id: PaymentId, amount: Money) -> None:
        payment = self._tables.payments[payment_id]
        reserved = payment.refund_reserved - amount
        assert payment.refunded <= reserved, "what has gone had been promised"
        self._tables.payments[payment_id] = replace(payment, refund_reserved=reserved)

    async def note_refunded(self, payment_id: PaymentId, amount: Money) -> None:
        payment = self._tables.payments[payment_id]
        refunded = payment.refunded + amount
        assert refunded <= payment.refund_reserved, "what goes had been promised"
        state = PaymentState.REFUNDED if refunded == payment.amount else payment.state
        self._tables.payments[payment_id] = replace(payment, refunded=refunded, state=state)

    async def note_returned(self, payment_id: PaymentId, amount: Money) -> None:
        payment = self._tables.payments[payment_id]
        refunded = payment.refunded - amount
        self._tables.payments[payment_id] = replace(payment, refunded=refunded, state=PaymentState.CAPTURED)

    async def known(self, gateway_payment_ids: Sequence[str]) -> frozenset[str]:
        ours = {payment.gateway_payment_id for payment in self._tables.payments.values()}
        return frozenset(gateway_payment_ids) & (ours | set(self._tables.foreign_payments))

    async def note_foreign(self, payment: GatewayPayment, at: datetime) -> None:
        self._tables.foreign_payments.setdefault(payment.id, payment)

    def _with_order(self, payment: Payment) -> Payment:
        order = next((order for order in self._tables.orders.values() if order.payment_id == payment.id), None)
        return replace(payment, order_id=order.id if order is not None else None)


class InMemoryAccountReadings:
    """AccountReadings."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def through(self) -> datetime | None:
        return self._tables.account_read_through

    async def note(self, through: datetime) -> datetime:
        come = min(through, self._tables.database_time or datetime.now(UTC))
        self._tables.account_read_through = max(come, self._tables.account_read_through or come)
        return self._tables.account_read_through


class InMemoryCases:
    """Cases."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, case: PaymentCase) -> None:
        for other in self._tables.cases:
            if (other.gateway_payment_id, other.refund_id) == (case.gateway_payment_id, case.refund_id):
                raise lost_race()
        self._tables.cases.append(case)

    async def of_payment(self, gateway_payment_id: str) -> PaymentCase | None:
        own = (case for case in self._tables.cases if case.refund_id is None)
        return next((case for case in own if case.gateway_payment_id == gateway_payment_id), None)

    async def of_refund(self, refund_id: RefundId) -> PaymentCase | None:
        return next((case for case in self._tables.cases if case.refund_id == refund_id), None)

    async def find(self, case_id: CaseId) -> PaymentCase | None:
        return next((case for case in self._tables.cases if case.id == case_id), None)

    async def lock(self, case_id: CaseId) -> PaymentCase | None:
        return await self.find(case_id)

    async def save(self, case: PaymentCase) -> None:
        self._tables.cases = [_ended_as(row, case) if row.id == case.id else row for row in self._tables.cases]

    async def open_cases(self, page: PageRequest) -> Page[PaymentCase]:
        after = (datetime.fromisoformat(page.cursor[0]), UUID(page.cursor[1])) if page.cursor is not None else None
        still_open = (case for case in self._tables.cases if case.state is CaseState.OPEN)
        oldest_first = sorted(still_open, key=lambda case: (case.opened_at, case.id))
        rows = [case for case in oldest_first if after is None or (case.opened_at, case.id) > after]
        return Page.cut(rows, page, lambda case: (case.opened_at.isoformat(), str(case.id)))


class InMemoryRefunds:
    """Refunds."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, refund: Refund, next_look_at: datetime) -> None:
        await self._check_unique(refund)
        self._tables.refunds[refund.id] = RefundRow(refund, next_look_at)

    async def get(self, refund_id: RefundId) -> Refund | None:
        row = self._tables.refunds.get(refund_id)
        return row.refund if row is not None else None

    async def lock(self, refund_id: RefundId) -> Refund | None:
        return await self.get(refund_id)

    async def find_by_gateway_id(self, gateway_refund_id: str) -> RefundId | None:
        refunds = (row.refund for row in self._tables.refunds.values())
        return next((refund.id for refund in refunds if refund.gateway_refund_id == gateway_refund_id), None)

    async def save(self, refund: Refund, at: datetime) -> None:
        await self._check_unique(refund)
        row = self._tables.refunds[refund.id]
        saved = replace(row.refund, state=refund.state, gateway_refund_id=refund.gateway_refund_id)
        due = (row.next_look_at or at) if refund.state in UNDER_WAY else None
        self._tables.refunds[refund.id] = RefundRow(saved, due)

    async def postpone(self, refund_id: RefundId, attempts: int, next_look_at: datetime) -> None:
        row = self._tables.refunds.get(refund_id)
        if row is not None and row.refund.state in UNDER_WAY:
            self._tables.refunds[refund_id] = RefundRow(replace(row.refund, attempts=attempts), next_look_at)

    async def of_payment(self, payment_id: PaymentId) -> tuple[Refund, ...]:
        refunds = (row.refund for row in self._tables.refunds.values())
        own = (refund for refund in refunds if refund.payment_id == payment_id)
        return tuple(sorted(own, key=lambda refund: refund.id))

    async def due(self, at: datetime, limit: int) -> tuple[RefundId, ...]:
        rows = self._tables.refunds.values()
        due = [(row.next_look_at, row.refund.id) for row in rows if row.next_look_at is not None]
        return tuple(refund_id for when, refund_id in sorted(due) if when <= at)[:limit]

    async def _check_unique(self, refund: Refund) -> None:
        if refund.gateway_refund_id is not None:
            owner = await self.find_by_gateway_id(refund.gateway_refund_id)
            if owner not in (None, refund.id):
                raise lost_race()


def _ended_as(kept: PaymentCase, case: PaymentCase) -> PaymentCase:
    return replace(
        kept,
        state=case.state,
        resolution=case.resolution,
        resolved_at=case.resolved_at,
        resolved_by=case.resolved_by,
        resolution_reason=case.resolution_reason,
    )
