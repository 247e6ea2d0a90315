"""Somebody stands in line for a connection and tells how long that takes, also while it lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kapda.adapters.postgres.engine import make_engine
from kapda.entrypoints.queue_probe import probe_queue

IMPATIENT = 0.05


@asynccontextmanager
async def probing(connect: Callable[[], AbstractAsyncContextManager[object]]) -> AsyncIterator["asyncio.Queue[float]"]:
    """What a probe tells inside the block."""
    told: asyncio.Queue[float] = asyncio.Queue()
    probe = asyncio.create_task(probe_queue(connect, told.put_nowait, impatient_after=IMPATIENT, interval=0.01))
    try:
        async with asyncio.timeout(20):
            yield told
    finally:
        probe.cancel()
        with suppress(asyncio.CancelledError):
            await probe


async def test_a_long_wait_for_a_connection_is_told_of_while_it_lasts_and_afterwards(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    try:
        async with probing(engine.connect) as told:
            await told.get()
            async with engine.connect():
                while await told.get() < 2 * IMPATIENT:
                    pass
                so_far = await told.get()
                assert so_far > 2 * IMPATIENT
            # Its turn has come.
            assert await told.get() > so_far
            while await told.get() > IMPATIENT:
                pass
    finally:
        await engine.dispose()


async def test_a_probe_that_ends_while_it_waits_leaves_the_line(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    try:
        async with engine.connect(), probing(engine.connect) as told:
            await told.get()
        async with asyncio.timeout(5), engine.connect():
            pass
    finally:
        await engine.dispose()


class Fails(AbstractAsyncContextManager[object]):
    """No connection is to be had."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.asked = asyncio.Semaphore(0)

    async def __aenter__(self) -> object:
        self.asked.release()
        raise self._error

    async def __aexit__(self, *_: object) -> None:
        """Never entered."""


async def test_a_line_too_long_to_be_waited_in_is_told_of() -> None:
    pool = Fails(PoolTimeoutError())
    async with probing(lambda: pool) as told:
        assert await told.get() >= 0


async def test_a_database_that_is_away_is_no_line() -> None:
    pool = Fails(OSError())
    async with probing(lambda: pool) as told:
        for _ in range(3):
            await pool.asked.acquire()
        assert told.empty()
