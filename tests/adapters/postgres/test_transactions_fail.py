"""Transactions that end badly: nothing of them stays, and the caller hears a word it can act on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kapda.adapters.postgres import engine as engine_module
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import AbortedError, DomainError, Reason, UnavailableError
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.request_log import RequestKey

Work = Callable[[PostgresUnitOfWork], Awaitable[Any]]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=4)
    yield made
    await made.dispose()


def new_key() -> RequestKey:
    return RequestKey(uuid4(), "Try", RequestId(uuid4()), b"body")


async def _claimed(
    engine: AsyncEngine, key: RequestKey, work: Work, on_jobs: Callable[[Collection[Job]], None] = lambda _jobs: None
) -> None:
    """A transaction with a claim and a job in it, and then the work."""
    async with PostgresUnitOfWork(engine, on_jobs) as uow:
        await uow.requests.claim(key, str)
        await uow.jobs.wake(Job.RELAY_EVENTS, key.request_id)
        await work(uow)
        await uow.commit()


async def _run(statement: str, uow: PostgresUnitOfWork) -> None:
    await uow.connection.execute(text(statement))


async def _kept(engine: AsyncEngine, key: RequestKey) -> tuple[bool, bool]:
    """Whether the claim and the job are there."""
    async with engine.connect() as connection:
        claim = await connection.scalar(
            text("SELECT EXISTS (SELECT FROM request_log WHERE request_id = :id)"), {"id": key.request_id}
        )
        job = await connection.scalar(
            text("SELECT EXISTS (SELECT FROM pgqueuer WHERE dedupe_key = :key)"),
            {"key": f"{Job.RELAY_EVENTS.value}:{key.request_id}"},
        )
    return bool(claim), bool(job)


async def _refusal(engine: AsyncEngine, work: Work) -> DomainError:
    """How the transaction is refused. Nothing of it stays, nobody is told of jobs, and the next one works."""
    key, told, out = new_key(), list[None](), _checked_out(engine)
    with pytest.raises(DomainError) as refused:
        await _claimed(engine, key, work, lambda _jobs: told.append(None))
    assert not told
    assert await _kept(engine, key) == (False, False)
    await _claimed(engine, key, partial(_run, "SELECT 1"), lambda _jobs: told.append(None))
    assert await _kept(engine, key) == (True, True)
    assert len(told) == 1
    assert _checked_out(engine) == out
    return refused.value


def _checked_out(engine: AsyncEngine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


async def _pid(uow: PostgresUnitOfWork) -> int:
    return int(await uow.connection.scalar(text("SELECT pg_backend_pid()")) or 0)


async def _terminate(database_url: str, pid: int) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("SELECT pg_terminate_backend($1, 2000)", pid)
    await connection.close()


async def test_f9_a_deadlock_that_the_database_breaks_is_a_lost_race_for_one_of_the_two(engine: AsyncEngine) -> None:
    first, second = new_key(), new_key()
    for key in (first, second):
        await _claimed(engine, key, partial(_run, "SELECT 1"))
    both_hold = asyncio.Barrier(2)
    lock = "SELECT FROM request_log WHERE request_id = '{}' FOR UPDATE"

    async def take(mine: RequestKey, theirs: RequestKey) -> None:
        async with PostgresUnitOfWork(engine) as uow:
            await _run(lock.format(mine.request_id), uow)
            await both_hold.wait()
            await _run(lock.format(theirs.request_id), uow)
            await uow.commit()

    ended = await asyncio.gather(take(first, second), take(second, first), return_exceptions=True)

    (lost,) = [outcome for outcome in ended if outcome is not None]
    assert isinstance(lost, AbortedError)
    assert lost.reason is Reason.CONCURRENT_UPDATE
    assert lost.retry_after is not None


async def test_waiting_too_long_for_a_lock_is_told_as_overload(engine: AsyncEngine) -> None:
    key = new_key()
    await _claimed(engine, key, partial(_run, "SELECT 1"))
    async with PostgresUnitOfWork(engine) as holder:
        await _run(f"SELECT FROM request_log WHERE request_id = '{key.request_id}' FOR UPDATE", holder)

        async def wait(uow: PostgresUnitOfWork) -> None:
            await _run("SET LOCAL lock_timeout = '50ms'", uow)
            await _run(f"SELECT FROM request_log WHERE request_id = '{key.request_id}' FOR UPDATE", uow)

        error = await _refusal(engine, wait)
    assert (type(error), error.reason) == (UnavailableError, Reason.OVERLOADED)


async def test_a_statement_that_runs_too_long_is_told_as_overload(engine: AsyncEngine) -> None:
    async def dawdle(uow: PostgresUnitOfWork) -> None:
        await _run("SET LOCAL statement_timeout = '50ms'", uow)
        await _run("SELECT pg_sleep(5)", uow)

    error = await _refusal(engine, dawdle)
    assert (type(error), error.reason) == (UnavailableError, Reason.OVERLOADED)


async def test_a_transaction_that_idles_too_long_is_told_as_unavailable(engine: AsyncEngine) -> None:
    async def idle(uow: PostgresUnitOfWork) -> None:
        await _run("SET LOCAL idle_in_transaction_session_timeout = '50ms'", uow)
        await asyncio.sleep(0.2)
        await _run("SELECT 1", uow)

    assert isinstance(await _refusal(engine, idle), UnavailableError)


async def test_a_connection_killed_between_statements_is_told_as_unavailable(
    engine: AsyncEngine, database_url: str
) -> None:
    async def lose_it(uow: PostgresUnitOfWork) -> None:
        await _terminate(database_url, await _pid(uow))
        await _run("SELECT 1", uow)

    error = await _refusal(engine, lose_it)
    assert (type(error), error.reason) == (UnavailableError, Reason.DATABASE_UNAVAILABLE)


async def test_a_connection_killed_under_a_statement_is_told_as_unavailable(
    engine: AsyncEngine, database_url: str
) -> None:
    async def lose_it(uow: PostgresUnitOfWork) -> None:
        pid = await _pid(uow)
        await asyncio.gather(_run("SELECT pg_sleep(5)", uow), _terminate(database_url, pid))

    error = await _refusal(engine, lose_it)
    assert (type(error), error.reason) == (UnavailableError, Reason.DATABASE_UNAVAILABLE)


async def test_a_connection_killed_before_the_commit_is_told_as_unavailable(
    engine: AsyncEngine, database_url: str
) -> None:
    async def lose_it(uow: PostgresUnitOfWork) -> None:
        await _terminate(database_url, await _pid(uow))

    error = await _refusal(engine, lose_it)
    assert (type(error), error.reason) == (UnavailableError, Reason.DATABASE_UNAVAILABLE)


async def test_pooled_connections_that_were_killed_while_idle_are_replaced(
    engine: AsyncEngine, database_url: str
) -> None:
    async with PostgresUnitOfWork(engine) as uow:
        pid = await _pid(uow)
    await _terminate(database_url, pid)
    await asyncio.sleep(0.05)

    key = new_key()
    await _claimed(engine, key, partial(_run, "SELECT 1"))
    assert await _kept(engine, key) == (True, True)


async def test_a_commit_that_the_database_refuses_leaves_nothing(engine: AsyncEngine) -> None:
    key, told = new_key(), list[None]()
    unbalanced = """WITH t AS (
            INSERT INTO ledger_transactions VALUES (uuidv7(), 'case_opened', uuidv7(), now()) RETURNING id
        ) INSERT INTO ledger_entries (transaction_id, position, account, amount_minor, currency)
        SELECT id, 1, 'gateway_receivable', 500, 'INR' FROM t"""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="does not sum to zero"):
        await _claimed(engine, key, partial(_run, unbalanced), lambda _jobs: told.append(None))
    assert not told
    assert await _kept(engine, key) == (False, False)
    async with PostgresUnitOfWork(engine) as uow:
        assert await uow.connection.scalar(text("SELECT count(*) FROM ledger_transactions")) == 0


async def test_leaving_without_a_commit_leaves_nothing(engine: AsyncEngine) -> None:
    key = new_key()
    async with PostgresUnitOfWork(engine) as uow:
        await uow.requests.claim(key, str)
        await uow.jobs.wake(Job.RELAY_EVENTS, key.request_id)
    assert await _kept(engine, key) == (False, False)


async def test_a_job_that_is_the_first_statement_is_rolled_back_as_well(engine: AsyncEngine) -> None:
    key = new_key()
    async with PostgresUnitOfWork(engine) as uow:
        await uow.jobs.wake(Job.RELAY_EVENTS, key.request_id)
    assert await _kept(engine, key) == (False, False)


async def test_callers_beyond_the_pool_are_told_of_overload_after_their_wait(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POOL_WAIT_SECONDS", 0.05)
    small = make_engine(database_url, pool_size=1)
    async with PostgresUnitOfWork(small):
        with pytest.raises(UnavailableError) as refused:
            async with PostgresUnitOfWork(small):
                pass
    assert refused.value.reason is Reason.OVERLOADED
    async with PostgresUnitOfWork(small) as uow:
        assert await _pid(uow)
    await small.dispose()
