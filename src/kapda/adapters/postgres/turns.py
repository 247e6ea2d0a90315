"""Who waits for a connection gets one in the order of arrival.

The pool alone gives a connection that comes back to whoever asks next, so in a crowd some are overtaken again and again, and
the slowest wait several times as long as the usual one (`docs/performance.md`).
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool


class Turns:
    """As many turns as a pool has connections."""

    def __init__(self, connections: int, patience: float) -> None:
        """`patience` is how many seconds a turn is waited for."""
        # Fair: who waits is served before who has just come.
        self._free = asyncio.Semaphore(connections)
        self._patience = patience

    async def take(self) -> None:
        """Wait for a turn. Raises SQLAlchemy's TimeoutError, as its pool does."""
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError as error:
            raise PoolTimeoutError("no connection came free in time") from error

    def give_back(self) -> None:
        """Let the one who has waited longest have it."""
        self._free.release()


_turns: WeakKeyDictionary[Any, Turns] = WeakKeyDictionary()


def turns_of(engine: AsyncEngine) -> Turns:
    """The turns of the engine's pool. Raises TypeError for a pool without a size."""
    pool = engine.pool
    found = _turns.get(pool)
    if found is None:
        if not isinstance(pool, QueuePool):
            raise TypeError("only a pool that has a size has turns")
        found = _turns[pool] = Turns(pool.size(), pool.timeout())
    return found
