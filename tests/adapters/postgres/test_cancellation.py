"""A task is cancelled at each await of a unit of work in turn: its connection comes back, and all or nothing stays."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.request_log import RequestKey
from tests.shop.cancelling import run_cancelled_at

# More awaits than a unit of work of three statements has; reaching it means that the test does not end.
TOO_MANY = 200


@pytest.fixture(params=["pooled", "new"])
async def engine(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection for all: one that is not given back is missed at once. `new` ones are made for each transaction."""
    made = make_engine(database_url, pool_size=1)
    if request.param == "pooled":
        async with made.connect():
            pass
    yield made
    await made.dispose()


async def _work(engine: AsyncEngine, key: RequestKey) -> None:
    async with PostgresUnitOfWork(engine) as uow:
        await uow.requests.claim(key, str)
        await uow.jobs.wake(Job.RELAY_EVENTS, key.request_id)
        await uow.requests.answer(key, "done")
        await uow.commit()


async def _traces(engine: AsyncEngine, key: RequestKey) -> int:
    """How many of the two rows there are."""
    async with asyncio.timeout(2), engine.connect() as connection:
        found = await connection.scalar(
            text("""SELECT (SELECT count(*) FROM request_log WHERE request_id = :id)
                + (SELECT count(*) FROM pgqueuer WHERE dedupe_key = :key)"""),
            {"id": key.request_id, "key": f"{Job.RELAY_EVENTS.value}:{key.request_id}"},
        )
    return int(found or 0)


async def _left_open(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await connection.scalar(
            text("""SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'""")
        )
    return int(found or 0)


async def test_a_task_cancelled_anywhere_gives_its_connection_back_and_leaves_all_or_nothing(
    engine: AsyncEngine, request: pytest.FixtureRequest
) -> None:
    traces = []
    for at in range(TOO_MANY):
        key = RequestKey(uuid4(), "Try", RequestId(uuid4()), b"body")
        if "new" in request.node.name:
            await engine.dispose()
        reached = await run_cancelled_at(_work(engine, key), at)
        traces.append(await _traces(engine, key))
        assert await _left_open(engine) == 0
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0
        if not reached:
            break
    assert len(traces) < TOO_MANY
    assert traces[-1] == 2, "the run that nobody cancelled has done its work"
    assert set(traces) == {0, 2}
    assert traces == sorted(traces), "once committed, whoever cancels comes too late"
