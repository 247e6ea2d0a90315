"""Refunds in PostgreSQL."""

from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.domain.payments.refund import UNDER_WAY, Refund, RefundKind, RefundState
from kapda.domain.shared.ids import CaseId, OrderId, PaymentId, RefundId
from kapda.domain.shared.money import Money

_ADD = text("""
    INSERT INTO refunds (id, kind, payment_id, order_id, case_id, amount_minor, currency, state, gateway_refund_id, reason,
        actor, requested_at, attempts, next_look_at)
    VALUES (:id, :kind, :payment_id, :order_id, :case_id, :amount_minor, :currency, :state, :gateway_refund_id, :reason,
        :actor, :requested_at, :attempts, :next_look_at)
""")
_SELECT = """
    SELECT r.id, r.kind, r.payment_id, p.gateway_payment_id, r.order_id, r.case_id, r.amount_minor, r.currency, r.state,
        r.gateway_refund_id, r.reason, r.actor, r.requested_at, r.attempts
    FROM refunds r JOIN payments p ON p.id = r.payment_id
"""
_GET = text(f"{_SELECT} WHERE r.id = :id")
_LOCK = text(f"{_SELECT} WHERE r.id = :id FOR NO KEY UPDATE OF r")
_FIND_BY_GATEWAY_ID = text("SELECT id FROM refunds WHERE gateway_refund_id = :gateway_refund_id")
_OF_PAYMENT = text(f"{_SELECT} WHERE r.payment_id = :payment_id ORDER BY r.id")
_SAVE = text("""
    UPDATE refunds SET state = :state, gateway_refund_id = :gateway_refund_id,
        next_look_at = CASE WHEN CAST(:under_way AS boolean) THEN coalesce(next_look_at, :at) END
    WHERE id = :id
""")
_POSTPONE = text("""
    UPDATE refunds SET attempts = :attempts, next_look_at = :next_look_at
    WHERE id = :id AND state IN ('requested', 'pending')
""")
_DUE = text("SELECT id FROM refunds WHERE next_look_at <= :at ORDER BY next_look_at LIMIT :limit")


class PostgresRefunds:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, refund: Refund, next_look_at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "id": refund.id,
                "kind": refund.kind.value,
                "payment_id": refund.payment_id,
                "order_id": refund.order_id,
                "case_id": refund.case_id,
                "amount_minor": refund.amount.amount_minor,
                "currency": refund.amount.currency,
                "state": refund.state.value,
                "gateway_refund_id": refund.gateway_refund_id,
                "reason": refund.reason,
                "actor": refund.actor,
                "requested_at": refund.requested_at,
                "attempts": refund.attempts,
                "next_look_at": next_look_at,
            },
        )

    async def get(self, refund_id: RefundId) -> Refund | None:
        """See the port."""
        row = (await self._connection.execute(_GET, {"id": refund_id})).one_or_none()
        return _refund(row) if row else None

    async def lock(self, refund_id: RefundId) -> Refund | None:
        """See the port."""
        row = (await self._connection.execute(_LOCK, {"id": refund_id})).one_or_none()
        return _refund(row) if row else None

    async def find_by_gateway_id(self, gateway_refund_id: str) -> RefundId | None:
        """See the port."""
        found = await self._connection.scalar(_FIND_BY_GATEWAY_ID, {"gateway_refund_id": gateway_refund_id})
        return RefundId(found) if found else None

    async def save(self, refund: Refund, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _SAVE,
            {
                "id": refund.id,
                "state": refund.state.value,
                "gateway_refund_id": refund.gateway_refund_id,
                "under_way": refund.state in UNDER_WAY,
                "at": at,
            },
        )

    async def postpone(self, refund_id: RefundId, attempts: int, next_look_at: datetime) -> None:
        """See the port."""
        values = {"id": refund_id, "attempts": attempts, "next_look_at": next_look_at}
        await self._connection.execute(_POSTPONE, values)

    async def of_payment(self, payment_id: PaymentId) -> tuple[Refund, ...]:
        """See the port."""
        return tuple(_refund(row) for row in await self._connection.execute(_OF_PAYMENT, {"payment_id": payment_id}))

    async def due(self, at: datetime, limit: int) -> tuple[RefundId, ...]:
        """See the port."""
        return tuple(RefundId(found) for found in await self._connection.scalars(_DUE, {"at": at, "limit": limit}))


def _refund(row: Row) -> Refund:
    return Refund(
        id=RefundId(row.id),
        kind=RefundKind(row.kind),
        payment_id=PaymentId(row.payment_id),
        gateway_payment_id=row.gateway_payment_id,
        order_id=OrderId(row.order_id) if row.order_id else None,
        case_id=CaseId(row.case_id) if row.case_id else None,
        amount=Money(row.amount_minor, row.currency),
        state=RefundState(row.state),
        gateway_refund_id=row.gateway_refund_id,
        reason=row.reason,
        actor=row.actor,
        requested_at=row.requested_at,
        attempts=row.attempts,
    )
