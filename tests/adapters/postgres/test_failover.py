"""A database that still answers and cannot write: a standby that was a primary a moment ago, or a disk that is full."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import RequestKey


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=4)
    yield made
    await made.dispose()


async def _write(engine: AsyncEngine) -> RequestKey:
    key = RequestKey(uuid4(), "Try", RequestId(uuid4()), b"body")
    async with PostgresUnitOfWork(engine) as uow:
        await uow.requests.claim(key, str)
        await uow.commit()
    return key


async def _rows(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM request_log")) or 0)


@asynccontextmanager
async def _administered(database_url: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    connection = await asyncpg.connect(database_url)
    try:
        yield connection, await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()


async def test_a_standby_is_told_as_unavailable_and_its_connection_is_not_used_again(
    engine: AsyncEngine, database_url: str
) -> None:
    """Connections to a server that has become a standby stay open and usable for reading: they must not be kept."""
    async with _administered(database_url) as (admin, name):
        await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        with pytest.raises(UnavailableError) as refused:
            await _write(engine)
        assert refused.value.reason is Reason.DATABASE_UNAVAILABLE
        assert refused.value.retry_after is not None
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    # What was connected to the standby would still be read-only.
    await _write(engine)
    assert await _rows(engine) == 1


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "58030"], ids=["disk full", "out of memory", "i/o error"])
async def test_a_commit_that_finds_no_room_is_told_as_unavailable_and_leaves_nothing(
    engine: AsyncEngine, database_url: str, sqlstate: str
) -> None:
    async with _administered(database_url) as (admin, _):
        await admin.execute(f"""
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{sqlstate}'; END $$;
            CREATE CONSTRAINT TRIGGER no_room AFTER INSERT ON request_log DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION no_room();
        """)
        with pytest.raises(UnavailableError) as refused:
            await _write(engine)
        assert refused.value.reason is Reason.DATABASE_UNAVAILABLE
        assert await _rows(engine) == 0
        await admin.execute("DROP TRIGGER no_room ON request_log")

    await _write(engine)
    assert await _rows(engine) == 1
