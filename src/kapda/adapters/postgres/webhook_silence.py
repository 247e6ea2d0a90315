"""Whether webhooks come, by what was stored of them and of payments."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.connection import Connection

# Deliveries that wait are few, and are in another index than those that are done with.
_LAST_DELIVERY = text("""
    SELECT greatest(
        (SELECT max(received_at) FROM gateway_events WHERE state <> 'pending'),
        (SELECT max(received_at) FROM gateway_events WHERE state = 'pending'))
""")
# By the primary key, which is in the order of time: payments have no other index for it and need none.
_WAITING_SINCE = text("""
    SELECT min(p.captured_at) FROM payments p
    WHERE p.id >= :first_id AND p.captured_at > :since AND NOT EXISTS (
        SELECT FROM gateway_events e
        WHERE e.gateway_payment_id = p.gateway_payment_id AND e.received_at >= :announced_from)
""")
# Rows are made by processes whose clocks are not quite the same, and a delivery may wait before its payment is recorded.
_SLACK = timedelta(hours=1)


class PostgresUnannouncedPayments:
    """See the port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting_since(self, earliest: datetime) -> datetime | None:
        """See the port."""
        async with Connection(self._engine, autocommit=True) as connection:
            last = await connection.scalar(_LAST_DELIVERY)
            since = max(earliest, last) if last is not None else earliest
            values = {"since": since, "first_id": _first_id(since - _SLACK), "announced_from": since - _SLACK}
            waiting: datetime | None = await connection.scalar(_WAITING_SINCE, values)
            return waiting


def _first_id(at: datetime) -> UUID:
    """The lowest UUID of version 7 that is made at that instant."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
