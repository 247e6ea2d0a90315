"""How far the account's payments have been read, in PostgreSQL."""

from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection

_THROUGH = text("SELECT read_through FROM account_readings WHERE list = 'payments'")
_NOTE = text("""
    INSERT INTO account_readings (list, read_through) VALUES ('payments', least(:through, now()))
    ON CONFLICT (list) DO UPDATE SET read_through = greatest(account_readings.read_through, excluded.read_through)
    RETURNING read_through
""")


class PostgresAccountReadings:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def through(self) -> datetime | None:
        """See the port."""
        through: datetime | None = await self._connection.scalar(_THROUGH)
        return through

    async def note(self, through: datetime) -> datetime:
        """See the port."""
        counts: datetime = await self._connection.scalar(_NOTE, {"through": through})
        return counts
