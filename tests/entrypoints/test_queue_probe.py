"""Somebody stands in line for a connection and tells how long that takes, also while it lasts."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kapda.adapters.postgres.engine import make_engine
from kapda.entrypoints.queue_probe import probe_queue

IMPATIENT = 0.05
NEVER = 60.0


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@asynccontextmanager
async def probing(
    connect: Callable[[], AbstractAsyncContextManager[object]],
    *,
    now: Callable[[], float] = time.monotonic,
    impatient_after: float = IMPATIENT,
) -> AsyncIterator["asyncio.Queue[float]"]:
    """What a probe tells inside the block."""
    told: asyncio.Queue[float] = asyncio.Queue()
    probe = asyncio.create_task(
        probe_queue(connect, told.put_nowait, impatient_after=impatient_after, interval=0.01, now=now)
    )
    try:
        async with asyncio.timeout(20):
            yield told
    finally:
        probe.cancel()
        with suppress(asyncio.CancelledError):
            await probe


async def test_a_long_wait_for_a_connection_is_told_of_while_it_lasts(database_url: str) -> None:
    engine, clock = make_engine(database_url, pool_size=1), Clock()
    try:
        async with engine.connect(), probing(engine.connect, now=clock) as told:
            await told.get()
            clock.time = 10.0
            while (so_far := await told.get()) < 0:
                pass
            assert so_far == pytest.approx(10, abs=0.1)
    finally:
        await engine.dispose()


async def test_a_wait_for_a_connection_is_told_of_when_it_is_over(database_url: str) -> None:
    engine, clock = make_engine(database_url, pool_size=1), Clock()
    asked = asyncio.Semaphore(0)

    def connect() -> AbstractAsyncContextManager[object]:
        asked.release()
        return engine.connect()

    try:
        taken = await engine.connect()
        async with probing(connect, now=clock, impatient_after=NEVER) as told:
            await asked.acquire()
            clock.time = 10.0
            await taken.close()
            assert await told.get() == pytest.approx(10, abs=0.1)
            # The next one finds nobody before it.
            assert await told.get() < IMPATIENT
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
