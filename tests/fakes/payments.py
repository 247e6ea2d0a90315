"""Payments and their cases in memory."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import Payment, PaymentCase
from kapda.domain.shared.ids import PaymentId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.checkouts import lost_race
from tests.fakes.tables import Tables


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

    async def case_of(self, gateway_payment_id: str) -> PaymentCase | None:
        return next((case for case in self._tables.cases if case.gateway_payment_id == gateway_payment_id), None)

    async def open_case(self, case: PaymentCase) -> None:
        if await self.case_of(case.gateway_payment_id) is not None:
            raise lost_race()
        self._tables.cases.append(case)

    async def open_cases(self, page: PageRequest) -> Page[PaymentCase]:
        after = (datetime.fromisoformat(page.cursor[0]), UUID(page.cursor[1])) if page.cursor is not None else None
        oldest_first = sorted(self._tables.cases, key=lambda case: (case.opened_at, case.id))
        rows = [case for case in oldest_first if after is None or (case.opened_at, case.id) > after]
        return Page.cut(rows, page, lambda case: (case.opened_at.isoformat(), str(case.id)))

    async def note_foreign(self, payment: GatewayPayment, at: datetime) -> None:
        self._tables.foreign_payments.setdefault(payment.id, payment)

    def _with_order(self, payment: Payment) -> Payment:
        order = next((order for order in self._tables.orders.values() if order.payment_id == payment.id), None)
        return replace(payment, order_id=order.id if order is not None else None)
