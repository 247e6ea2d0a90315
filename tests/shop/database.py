"""A look into the stack's database from outside, which may just have lost its power, or be coming back."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

# What a database says, or its socket, while it goes, is away and starts. Nothing else is worth another look.
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
)
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.1


class Database:
    """Each look is a connection of its own: none of them has seen the server that was there before.

    Reading is tried again for some seconds while the database is away. What is written is sent once.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        """The rows."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                async with self._connected(deadline) as connection:
                    rows: Sequence[Any] = await connection.fetch(statement, *values)
                    return rows
            except _AWAY:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)

    async def fetchrow(self, statement: str, *values: object) -> Any:
        """The first row, None when there is none."""
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *values: object) -> Any:
        """The first column of the first row, None when there is no row."""
        row = await self.fetchrow(statement, *values)
        return None if row is None else row[0]

    async def insert(self, statement: str, *values: object) -> Any:
        """Write once; the first column of the first row that comes back."""
        async with self._connected(time.monotonic() + _PATIENCE_SECONDS) as connection:
            return await connection.fetchval(statement, *values)

    async def execute(self, statement: str, *values: object) -> None:
        """Write once."""
        async with self._connected(time.monotonic() + _PATIENCE_SECONDS) as connection:
            await connection.execute(statement, *values)

    async def executemany(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Write many rows, once."""
        async with self._connected(time.monotonic() + _PATIENCE_SECONDS) as connection:
            await connection.executemany(statement, values)

    @asynccontextmanager
    async def _connected(self, deadline: float) -> AsyncIterator[Any]:
        connection = await self._connect(deadline)
        try:
            yield connection
        finally:
            # Nothing to say goodbye to where the server has gone meanwhile.
            connection.terminate()

    async def _connect(self, deadline: float) -> Any:
        while True:
            try:
                return await asyncpg.connect(self._url, timeout=5.0)
            except _AWAY:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)
