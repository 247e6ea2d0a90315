"""The database hangs, or the network swallows what it says: nobody waits for it for ever, no connection is lost to it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kapda.adapters.postgres import connection
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import RequestKey

# Enough for a machine that is busy with other things; the real limits together are shorter still.
PATIENCE_SECONDS = 8.0


@pytest.fixture
async def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """One connection for all: one that is not given back is missed at once."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(connection, "ROLLBACK_SECONDS", 0.3)
    made = make_engine(database_url, pool_size=1)
    yield made
    await made.dispose()


def _key() -> RequestKey:
    return RequestKey(uuid4(), "Try", RequestId(uuid4()), b"body")


@contextmanager
def _frozen(backend: int) -> Iterator[None]:
    """Its socket stays open, and nobody answers."""
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)


async def _backend(uow: PostgresUnitOfWork) -> int:
    return int(await uow.connection.scalar(text("SELECT pg_backend_pid()")))


async def _is_served(engine: AsyncEngine) -> None:
    """The one place of the pool is free, and whoever takes it gets answers."""
    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0
    async with PostgresUnitOfWork(engine) as uow:
        await uow.requests.claim(_key(), str)
        await uow.commit()


@pytest.mark.parametrize("step", ["statement", "commit"])
async def test_whoever_asks_a_database_that_hangs_is_told_so_and_the_next_one_is_served(
    engine: AsyncEngine, step: str
) -> None:
    began = time.monotonic()

    async def ask() -> None:
        async with PostgresUnitOfWork(engine) as uow:
            await uow.requests.claim(_key(), str)
            with _frozen(await _backend(uow)):
                await (uow.requests.claim(_key(), str) if step == "statement" else uow.commit())

    with pytest.raises(UnavailableError) as told:
        await ask()
    assert told.value.reason is Reason.DATABASE_UNAVAILABLE
    assert time.monotonic() - began < PATIENCE_SECONDS
    await _is_served(engine)


@pytest.mark.parametrize("autocommit", [False, True], ids=["transaction", "read"])
async def test_whoever_is_called_away_meanwhile_goes_and_leaves_the_place_to_others(
    engine: AsyncEngine, autocommit: bool
) -> None:
    """A caller's deadline, or a drain: neither may wait for a rollback that never comes."""
    known: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        async with PostgresUnitOfWork(engine, autocommit=autocommit) as uow:
            known.set_result(await _backend(uow))
            await asyncio.sleep(0)
            await uow.connection.scalar(text("SELECT pg_sleep(60)"))

    asking = asyncio.create_task(ask())
    with _frozen(await known):
        await asyncio.sleep(0.1)
        asking.cancel()
        done, _ = await asyncio.wait((asking,), timeout=PATIENCE_SECONDS)
        assert done, "still waits for its rollback"
        assert asking.cancelled()
        await _is_served(engine)
