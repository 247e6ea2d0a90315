"""The orphan desk's cases in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.json_columns import to_json
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase, Resolution
from kapda.domain.shared.ids import CaseId, CheckoutId, PaymentId, RefundId
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest

_COLUMNS = """id, kind, gateway_payment_id, refund_id, payment_id, checkout_id, amount_minor, currency, evidence, state,
    opened_at, resolution, resolved_at, resolved_by, resolution_reason"""
_ADD = text(f"""
    INSERT INTO payment_cases ({_COLUMNS})
    VALUES (:id, :kind, :gateway_payment_id, :refund_id, :payment_id, :checkout_id, :amount_minor, :currency,
        CAST(:evidence AS jsonb), :state, :opened_at, :resolution, :resolved_at, :resolved_by, :resolution_reason)
""")  # noqa: S608  (constants only)
_SELECT = f"SELECT {_COLUMNS} FROM payment_cases"  # noqa: S608  (constants only)
_OF_PAYMENT = text(f"{_SELECT} WHERE gateway_payment_id = :gateway_payment_id AND refund_id IS NULL")
_OF_REFUND = text(f"{_SELECT} WHERE refund_id = :refund_id")
_FIND = text(f"{_SELECT} WHERE id = :id")
_LOCK = text(f"{_SELECT} WHERE id = :id FOR NO KEY UPDATE")
_SAVE = text("""
    UPDATE payment_cases SET state = :state, resolution = :resolution, resolved_at = :resolved_at,
        resolved_by = :resolved_by, resolution_reason = :resolution_reason
    WHERE id = :id
""")
_OPEN = text(f"""
    {_SELECT} WHERE state = 'open' AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, id) > (:opened_at, :id))
    ORDER BY opened_at, id LIMIT :limit
""")


class PostgresCases:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, case: PaymentCase) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "kind": case.kind.value,
                "gateway_payment_id": case.gateway_payment_id,
                "refund_id": case.refund_id,
                "payment_id": case.payment_id,
                "checkout_id": case.checkout_id,
                "amount_minor": case.amount.amount_minor,
                "currency": case.amount.currency,
                "evidence": to_json(case.evidence),
                "opened_at": case.opened_at,
            }
            | _ending(case),
        )

    async def of_payment(self, gateway_payment_id: str) -> PaymentCase | None:
        """See the port."""
        return await self._one(_OF_PAYMENT, {"gateway_payment_id": gateway_payment_id})

    async def of_refund(self, refund_id: RefundId) -> PaymentCase | None:
        """See the port."""
        return await self._one(_OF_REFUND, {"refund_id": refund_id})

    async def find(self, case_id: CaseId) -> PaymentCase | None:
        """See the port."""
        return await self._one(_FIND, {"id": case_id})

    async def lock(self, case_id: CaseId) -> PaymentCase | None:
        """See the port."""
        return await self._one(_LOCK, {"id": case_id})

    async def save(self, case: PaymentCase) -> None:
        """See the port."""
        await self._connection.execute(_SAVE, _ending(case))

    async def open_cases(self, page: PageRequest) -> Page[PaymentCase]:
        """See the port."""
        opened_at, case_id = page.cursor or (None, None)
        rows = await self._connection.execute(
            _OPEN,
            {
                "opened_at": datetime.fromisoformat(opened_at) if opened_at else None,
                "id": UUID(case_id) if case_id else None,
                "limit": page.size + 1,
            },
        )
        return Page.cut([_case(row) for row in rows], page, lambda case: (case.opened_at.isoformat(), str(case.id)))

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> PaymentCase | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return _case(row) if row else None


def _ending(case: PaymentCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "state": case.state.value,
        "resolution": case.resolution.value if case.resolution is not None else None,
        "resolved_at": case.resolved_at,
        "resolved_by": case.resolved_by,
        "resolution_reason": case.resolution_reason,
    }


def _case(row: Row) -> PaymentCase:
    return PaymentCase(
        id=CaseId(row.id),
        kind=CaseKind(row.kind),
        gateway_payment_id=row.gateway_payment_id,
        payment_id=PaymentId(row.payment_id),
        checkout_id=CheckoutId(row.checkout_id),
        refund_id=RefundId(row.refund_id) if row.refund_id else None,
        amount=Money(row.amount_minor, row.currency),
        evidence=row.evidence,
        state=CaseState(row.state),
        opened_at=row.opened_at,
        resolution=Resolution(row.resolution) if row.resolution else None,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        resolution_reason=row.resolution_reason,
    )
