"""The outbox in PostgreSQL: events in the transaction of what they tell of, numbered without a gap per aggregate."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.json_columns import to_json
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.jobs import Job, Jobs

# The head row's lock makes one aggregate's events wait for each other, so that numbers follow commits.
_ADD = text("""
    WITH head AS (
        INSERT INTO outbox_heads AS h (aggregate_id, last_sequence) VALUES (:aggregate_id, 1)
        ON CONFLICT (aggregate_id) DO UPDATE SET last_sequence = h.last_sequence + 1
        RETURNING last_sequence
    )
    INSERT INTO outbox_events (aggregate_id, sequence, aggregate_type, type, payload, occurred_at)
    SELECT :aggregate_id, head.last_sequence, :aggregate_type, :type, CAST(:payload AS jsonb), :occurred_at FROM head
""")
_LEASE = text("""
    UPDATE outbox_heads SET relay_lease_until = :until
    WHERE aggregate_id = :aggregate_id AND (relay_lease_until IS NULL OR relay_lease_until <= :now)
    RETURNING true
""")
_UNSENT = text("""
    SELECT sequence, aggregate_type, type, payload, occurred_at FROM outbox_events
    WHERE aggregate_id = :aggregate_id AND published_at IS NULL ORDER BY sequence LIMIT :limit
""")
_MARK_SENT = text("""
    UPDATE outbox_events SET published_at = :at
    WHERE aggregate_id = :aggregate_id AND sequence <= :through AND published_at IS NULL
""")
_RELEASE = text("UPDATE outbox_heads SET relay_lease_until = NULL WHERE aggregate_id = :aggregate_id")
_WITH_UNSENT = text("""
    SELECT e.aggregate_id FROM outbox_events e JOIN outbox_heads h USING (aggregate_id)
    WHERE e.published_at IS NULL AND (h.relay_lease_until IS NULL OR h.relay_lease_until <= :at)
    GROUP BY e.aggregate_id ORDER BY min(e.occurred_at) LIMIT :limit
""")


class PostgresOutbox:
    """See the port."""

    def __init__(self, connection: Connection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    async def add(self, event: DomainEvent) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "aggregate_id": event.aggregate_id,
                "aggregate_type": event.aggregate_type,
                "type": event.type,
                "payload": to_json(event.payload),
                "occurred_at": event.occurred_at,
            },
        )
        await self._jobs.wake(Job.RELAY_EVENTS, event.aggregate_id)

    async def lease(self, aggregate_id: UUID, now: datetime, until: datetime) -> bool:
        """See the port."""
        values = {"aggregate_id": aggregate_id, "now": now, "until": until}
        return bool(await self._connection.scalar(_LEASE, values))

    async def unsent(self, aggregate_id: UUID, limit: int) -> tuple[SequencedEvent, ...]:
        """See the port."""
        rows = await self._connection.execute(_UNSENT, {"aggregate_id": aggregate_id, "limit": limit})
        return tuple(
            SequencedEvent(
                row.sequence,
                DomainEvent(row.aggregate_type, aggregate_id, row.type, row.occurred_at, row.payload),
            )
            for row in rows
        )

    async def mark_sent(self, aggregate_id: UUID, through: int, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(_MARK_SENT, {"aggregate_id": aggregate_id, "through": through, "at": at})

    async def release(self, aggregate_id: UUID) -> None:
        """See the port."""
        await self._connection.execute(_RELEASE, {"aggregate_id": aggregate_id})

    async def with_unsent_events(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        """See the port."""
        return tuple(await self._connection.scalars(_WITH_UNSENT, {"at": at, "limit": limit}))
