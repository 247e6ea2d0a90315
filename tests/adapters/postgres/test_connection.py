"""What a connection of ours promises beyond the driver's own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.engine import make_engine

_NUMBERS = text("SELECT n, n * :factor AS many FROM generate_series(1, :upto) AS n")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=2)
    yield made
    await made.dispose()


async def test_columns_are_attributes_and_names_are_bound_wherever_they_stand(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        rows = await connection.execute(_NUMBERS, {"factor": 10, "upto": 3})
        assert [(row.n, row.many) for row in rows] == [(1, 10), (2, 20), (3, 30)]
        assert await connection.scalars(_NUMBERS, {"upto": 2, "factor": 1}) == [1, 2]
        assert await connection.scalar(_NUMBERS, {"upto": 0, "factor": 1}) is None
        with pytest.raises(AttributeError, match="no column more"):
            _ = rows[0].more


async def test_one_row_is_one_row(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        assert (await connection.execute(_NUMBERS, {"factor": 1, "upto": 1})).one().n == 1
        assert (await connection.execute(_NUMBERS, {"factor": 1, "upto": 0})).one_or_none() is None
        for count in (0, 2):
            with pytest.raises(ValueError, match="unpack"):
                (await connection.execute(_NUMBERS, {"factor": 1, "upto": count})).one()


async def test_statements_share_a_transaction_unless_each_is_its_own(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        assert await connection.scalar(text("SELECT txid_current()")) == await connection.scalar(
            text("SELECT txid_current()")
        )
    async with Connection(engine, autocommit=True) as connection:
        assert await connection.scalar(text("SELECT txid_current()")) != await connection.scalar(
            text("SELECT txid_current()")
        )


async def test_a_commit_after_a_failure_that_somebody_swallowed_is_refused(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.execute(text("SELECT 1 / 0"))
        # PostgreSQL itself would answer this commit with a rollback, and with no error.
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await connection.commit()


async def test_a_commit_of_nothing_asks_nothing(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        await connection.commit()
        await connection.execute(text("SELECT 1"))
        await connection.commit()
        await connection.commit()


async def test_a_row_is_no_key_of_a_cache(engine: AsyncEngine) -> None:
    async with Connection(engine) as connection:
        row = (await connection.execute(_NUMBERS, {"factor": 1, "upto": 1})).one()
        with pytest.raises(TypeError, match="unhashable"):
            hash(row)
