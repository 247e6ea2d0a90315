"""The outbox in PostgreSQL: events in the transaction of what they tell of, numbered without a gap per aggregate."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.json_columns import to_json
from kapda.adapters.postgres.writes import Write
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.jobs import Job, Jobs

# The head row's lock makes one aggregate's events wait for each other, so that numbers follow commits.
_ADD = Write("""
    head AS (
        INSERT INTO outbox_heads AS h (aggregate_id, last_sequence) VALUES (:aggregate_id, 1)
        ON CONFLICT (aggregate_id) DO UPDATE SET last_sequence = h.last_sequence + 1
        RETURNING last_sequence
    ), event AS (
        INSERT INTO outbox_events (aggregate_id, sequence, aggregate_type, type, payload, occurred_at)
        SELECT :aggregate_id, head.last_sequence, :aggregate_type, :type, CAST(:payload AS jsonb), :occurred_at FROM head
    )
""")
# The oldest are looked for first; a head that another relay is at, or is taking at this moment, is left to it.
_LEASE = text("""
    WITH waiting AS (
        SELECT e.aggregate_id, min(e.occurred_at) AS since FROM outbox_events e JOIN outbox_heads h USING (aggregate_id)
        WHERE e.published_at IS NULL AND (h.relay_lease_until IS NULL OR h.relay_lease_until <= :now)
        GROUP BY e.aggregate_id ORDER BY since LIMIT :limit
    ), free AS MATERIALIZED (
        SELECT h.aggregate_id FROM outbox_heads h JOIN waiting w USING (aggregate_id)
        WHERE h.relay_lease_until IS NULL OR h.relay_lease_until <= :now
        ORDER BY w.since FOR NO KEY UPDATE OF h SKIP LOCKED
    )
    UPDATE outbox_heads h SET relay_lease_until = :until FROM free WHERE h.aggregate_id = free.aggregate_id
    RETURNING h.aggregate_id
""")
_UNSENT = text("""
    SELECT aggregate_id, sequence, aggregate_type, type, payload, occurred_at FROM outbox_events
    WHERE aggregate_id = ANY (CAST(:aggregate_ids AS uuid[])) AND published_at IS NULL
    ORDER BY aggregate_id, sequence LIMIT :limit
""")
_MARK_SENT = text("""
    UPDATE outbox_events e SET published_at = :at
    FROM unnest(CAST(:aggregate_ids AS uuid[]), CAST(:sequences AS integer[])) AS s (aggregate_id, sequence)
    WHERE e.aggregate_id = s.aggregate_id AND e.sequence <= s.sequence AND e.published_at IS NULL
""")
_RELEASE = text("""
    UPDATE outbox_heads SET relay_lease_until = NULL
    WHERE aggregate_id = ANY (CAST(:aggregate_ids AS uuid[])) AND relay_lease_until = :until
""")


class PostgresOutbox:
    """See the port."""

    def __init__(self, connection: Connection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    async def add(self, event: DomainEvent) -> None:
        """See the port."""
        await self._connection.write(
            _ADD,
            {
                "aggregate_id": event.aggregate_id,
                "aggregate_type": event.aggregate_type,
                "type": event.type,
                "payload": to_json(event.payload),
                "occurred_at": event.occurred_at,
            },
        )
        self._jobs.announce(Job.RELAY_EVENTS)

    async def lease(self, now: datetime, until: datetime, limit: int) -> tuple[UUID, ...]:
        """See the port."""
        return tuple(await self._connection.scalars(_LEASE, {"now": now, "until": until, "limit": limit}))

    async def unsent(self, aggregate_ids: Collection[UUID], limit: int) -> tuple[SequencedEvent, ...]:
        """See the port."""
        rows = await self._connection.execute(_UNSENT, {"aggregate_ids": list(aggregate_ids), "limit": limit})
        return tuple(
            SequencedEvent(
                row.sequence,
                DomainEvent(row.aggregate_type, row.aggregate_id, row.type, row.occurred_at, row.payload),
            )
            for row in rows
        )

    async def mark_sent(self, through: Mapping[UUID, int], at: datetime) -> None:
        """See the port."""
        values = {"aggregate_ids": list(through), "sequences": list(through.values()), "at": at}
        await self._connection.execute(_MARK_SENT, values)

    async def release(self, aggregate_ids: Collection[UUID], until: datetime) -> None:
        """See the port."""
        await self._connection.execute(_RELEASE, {"aggregate_ids": list(aggregate_ids), "until": until})
