"""Payments, cases and foreign payments in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kapda.adapters.postgres.json_columns import to_json
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import CaseKind, Payment, PaymentCase, PaymentState
from kapda.domain.shared.ids import CaseId, CheckoutId, OrderId, PaymentId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest

_ADD = text("""
    INSERT INTO payments (id, checkout_id, gateway_payment_id, gateway_order_id, state, amount_minor, currency, method,
        captured_at)
    VALUES (:id, :checkout_id, :gateway_payment_id, :gateway_order_id, :state, :amount_minor, :currency, :method,
        :captured_at)
""")
_SELECT = """
    SELECT p.id, p.checkout_id, p.gateway_payment_id, p.gateway_order_id, p.state, p.amount_minor, p.currency, p.method,
        p.captured_at, o.id AS order_id
    FROM payments p LEFT JOIN orders o ON o.payment_id = p.id
"""
_BY_GATEWAY_ID = text(f"{_SELECT} WHERE p.gateway_payment_id = :gateway_payment_id")
_GET = text(f"""
    {_SELECT} JOIN checkouts c ON c.id = p.checkout_id
    WHERE p.id = :id AND (CAST(:customer_id AS uuid) IS NULL OR c.customer_id = :customer_id)
""")
_CASE_COLUMNS = (
    "id, kind, gateway_payment_id, payment_id, checkout_id, amount_minor, currency, evidence, state, opened_at"
)
_OPEN_CASE = text(f"""
    INSERT INTO payment_cases ({_CASE_COLUMNS})
    VALUES (:id, :kind, :gateway_payment_id, :payment_id, :checkout_id, :amount_minor, :currency,
        CAST(:evidence AS jsonb), 'open', :opened_at)
""")  # noqa: S608  (constants only)
_CASE_OF = text(
    f"SELECT {_CASE_COLUMNS} FROM payment_cases WHERE gateway_payment_id = :gateway_payment_id"  # noqa: S608  (constants only)
)
_OPEN_CASES = text(f"""
    SELECT {_CASE_COLUMNS} FROM payment_cases
    WHERE state = 'open' AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, id) > (:opened_at, :id))
    ORDER BY opened_at, id LIMIT :limit
""")  # noqa: S608  (constants only)
_NOTE_FOREIGN = text("""
    INSERT INTO foreign_payments (gateway_payment_id, gateway_order_id, amount_minor, currency, seen_at)
    VALUES (:gateway_payment_id, :gateway_order_id, :amount_minor, :currency, :seen_at) ON CONFLICT DO NOTHING
""")


class PostgresPayments:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, payment: Payment) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "id": payment.id,
                "checkout_id": payment.checkout_id,
                "gateway_payment_id": payment.gateway_payment_id,
                "gateway_order_id": payment.gateway_order_id,
                "state": payment.state.value,
                "amount_minor": payment.amount.amount_minor,
                "currency": payment.amount.currency,
                "method": payment.method,
                "captured_at": payment.captured_at,
            },
        )

    async def by_gateway_id(self, gateway_payment_id: str) -> Payment | None:
        """See the port."""
        values = {"gateway_payment_id": gateway_payment_id}
        row = (await self._connection.execute(_BY_GATEWAY_ID, values)).one_or_none()
        return _payment(row) if row else None

    async def get(self, payment_id: PaymentId, customer_id: UserId | None) -> Payment | None:
        """See the port."""
        row = (await self._connection.execute(_GET, {"id": payment_id, "customer_id": customer_id})).one_or_none()
        return _payment(row) if row else None

    async def case_of(self, gateway_payment_id: str) -> PaymentCase | None:
        """See the port."""
        values = {"gateway_payment_id": gateway_payment_id}
        row = (await self._connection.execute(_CASE_OF, values)).one_or_none()
        return _case(row) if row else None

    async def open_case(self, case: PaymentCase) -> None:
        """See the port."""
        await self._connection.execute(
            _OPEN_CASE,
            {
                "id": case.id,
                "kind": case.kind.value,
                "gateway_payment_id": case.gateway_payment_id,
                "payment_id": case.payment_id,
                "checkout_id": case.checkout_id,
                "amount_minor": case.amount.amount_minor,
                "currency": case.amount.currency,
                "evidence": to_json(case.evidence),
                "opened_at": case.opened_at,
            },
        )

    async def open_cases(self, page: PageRequest) -> Page[PaymentCase]:
        """See the port."""
        opened_at, case_id = page.cursor or (None, None)
        rows = await self._connection.execute(
            _OPEN_CASES,
            {
                "opened_at": datetime.fromisoformat(opened_at) if opened_at else None,
                "id": UUID(case_id) if case_id else None,
                "limit": page.size + 1,
            },
        )
        return Page.cut([_case(row) for row in rows], page, lambda case: (case.opened_at.isoformat(), str(case.id)))

    async def note_foreign(self, payment: GatewayPayment, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _NOTE_FOREIGN,
            {
                "gateway_payment_id": payment.id,
                "gateway_order_id": payment.order_id,
                "amount_minor": payment.amount.amount_minor,
                "currency": payment.amount.currency,
                "seen_at": at,
            },
        )


def _payment(row: Row[Any]) -> Payment:
    return Payment(
        id=PaymentId(row.id),
        checkout_id=CheckoutId(row.checkout_id),
        gateway_payment_id=row.gateway_payment_id,
        gateway_order_id=row.gateway_order_id,
        state=PaymentState(row.state),
        amount=Money(row.amount_minor, row.currency),
        method=row.method,
        captured_at=row.captured_at,
        order_id=OrderId(row.order_id) if row.order_id else None,
    )


def _case(row: Row[Any]) -> PaymentCase:
    return PaymentCase(
        id=CaseId(row.id),
        kind=CaseKind(row.kind),
        gateway_payment_id=row.gateway_payment_id,
        payment_id=PaymentId(row.payment_id),
        checkout_id=CheckoutId(row.checkout_id),
        amount=Money(row.amount_minor, row.currency),
        evidence=row.evidence,
        opened_at=row.opened_at,
    )
