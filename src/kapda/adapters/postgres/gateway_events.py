"""The inbox of webhook deliveries in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState, ReceivedEvent

_COLUMNS = "id, event_type, gateway_payment_id, gateway_refund_id, state, attempts, received_at"
# Known under its id, or as the same fact under another id: either key brings the row that is there already.
_STORE = text(f"""
    INSERT INTO gateway_events (id, event_id, entity_key, event_type, gateway_payment_id, gateway_order_id,
        gateway_refund_id, body, received_at, state, next_attempt_at)
    VALUES (:id, :event_id, :entity_key, :event_type, :gateway_payment_id, :gateway_order_id, :gateway_refund_id, :body,
        :at, :state, CASE WHEN :state = 'pending' THEN CAST(:at AS timestamptz) END)
    ON CONFLICT DO NOTHING
    RETURNING {_COLUMNS}
""")  # noqa: S608  (constants only)
_KNOWN = text(f"""
    SELECT {_COLUMNS} FROM gateway_events WHERE event_id = :event_id OR entity_key = :entity_key
    ORDER BY received_at LIMIT 1
""")  # noqa: S608  (constants only)
_GET = text(f"SELECT {_COLUMNS} FROM gateway_events WHERE id = :id")  # noqa: S608  (constants only)
_FINISH = text("""
    UPDATE gateway_events SET state = 'processed', outcome = :outcome, processed_at = :at, next_attempt_at = NULL
    WHERE id = :id AND state = 'pending'
""")
_POSTPONE = text("""
    UPDATE gateway_events SET attempts = :attempts, next_attempt_at = :next_attempt_at
    WHERE id = :id AND state = 'pending'
""")
_DUE = text("""
    SELECT id FROM gateway_events WHERE state = 'pending' AND next_attempt_at <= :at
    ORDER BY next_attempt_at LIMIT :limit
""")


class PostgresGatewayEvents:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def store(self, new_id: UUID, event: ReceivedEvent, at: datetime) -> GatewayEvent:
        """See the port."""
        stored = await self._connection.execute(
            _STORE,
            {
                "id": new_id,
                "event_id": event.event_id,
                "entity_key": event.entity_key,
                "event_type": event.event_type,
                "gateway_payment_id": event.gateway_payment_id,
                "gateway_order_id": event.gateway_order_id,
                "gateway_refund_id": event.gateway_refund_id,
                "body": event.body,
                "at": at,
                "state": event.initial_state.value,
            },
        )
        row = stored.one_or_none()
        if row is None:
            known = {"event_id": event.event_id, "entity_key": event.entity_key}
            row = (await self._connection.execute(_KNOWN, known)).one()
        return _event(row)

    async def get(self, event: UUID) -> GatewayEvent | None:
        """See the port."""
        row = (await self._connection.execute(_GET, {"id": event})).one_or_none()
        return _event(row) if row else None

    async def finish(self, event: UUID, outcome: str, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(_FINISH, {"id": event, "outcome": outcome, "at": at})

    async def postpone(self, event: UUID, attempts: int, next_attempt_at: datetime) -> None:
        """See the port."""
        values = {"id": event, "attempts": attempts, "next_attempt_at": next_attempt_at}
        await self._connection.execute(_POSTPONE, values)

    async def due(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        """See the port."""
        return tuple(await self._connection.scalars(_DUE, {"at": at, "limit": limit}))


def _event(row: Row) -> GatewayEvent:
    return GatewayEvent(
        id=row.id,
        event_type=row.event_type,
        gateway_payment_id=row.gateway_payment_id,
        gateway_refund_id=row.gateway_refund_id,
        state=GatewayEventState(row.state),
        attempts=row.attempts,
        received_at=row.received_at,
    )
