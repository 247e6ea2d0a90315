"""The database goes away under a rollback: it is undone all the same, and the caller hears no more of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import RequestKey

REFUSED = FailedPreconditionError(Reason.INSUFFICIENT_STOCK, "gone")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=2)
    yield made
    await made.dispose()


async def _leave(engine: AsyncEngine, pid: "asyncio.Future[int]", error: Exception | None) -> str:
    """Claim something, freeze the server's process, and leave without a commit: the rollback waits for an answer."""
    async with PostgresUnitOfWork(engine) as uow:
        await uow.requests.claim(RequestKey(uuid4(), "Try", RequestId(uuid4()), b"body"), str)
        backend = int(await uow.connection.scalar(text("SELECT pg_backend_pid()")) or 0)
        os.kill(backend, signal.SIGSTOP)
        pid.set_result(backend)
        if error is not None:
            raise error
        return "answer"


async def _cut_off(engine: AsyncEngine, database_url: str, error: Exception | None) -> str:
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    leaving = asyncio.create_task(_leave(engine, pid, error))
    backend = await pid
    other = await asyncpg.connect(database_url)
    await other.execute("SELECT pg_terminate_backend($1)", backend)
    assert not leaving.done()
    os.kill(backend, signal.SIGCONT)
    try:
        return await leaving
    finally:
        # The place in the pool is free again.
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0
        assert await other.fetchval("SELECT count(*) FROM request_log") == 0
        await other.close()


async def test_what_was_refused_is_still_what_the_caller_hears(engine: AsyncEngine, database_url: str) -> None:
    with pytest.raises(FailedPreconditionError) as refused:
        await _cut_off(engine, database_url, REFUSED)
    assert refused.value is REFUSED


async def test_what_was_read_is_still_the_answer(engine: AsyncEngine, database_url: str) -> None:
    assert await _cut_off(engine, database_url, None) == "answer"
