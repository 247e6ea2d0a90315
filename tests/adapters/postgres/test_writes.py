"""Writes go to the database together where they may, and in their order where they must."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.writes import Write

_TABLES = text("CREATE TEMPORARY TABLE a (id integer PRIMARY KEY, n integer) ON COMMIT DROP")
_MORE_TABLES = text("""
    CREATE TEMPORARY TABLE b (id integer, a_id integer REFERENCES a) ON COMMIT DROP
""")
_ADD_A = Write("added_a AS (INSERT INTO a VALUES (:id, :n))")
_ADD_B = Write("added_b AS (INSERT INTO b VALUES (:id, :a_id))")
_RAISE_A = Write("raised AS (UPDATE a SET n = n + :by WHERE id = :id)")
_COPY_A = Write("copied AS (INSERT INTO b SELECT id + :by, id FROM a)")
_A = text("SELECT id, n FROM a ORDER BY id")
_B = text("SELECT id, a_id FROM b ORDER BY id")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    engine: AsyncEngine = make_engine(database_url, pool_size=1)
    async with Connection(engine) as connection:
        await connection.execute(_TABLES)
        await connection.execute(_MORE_TABLES)
        yield connection
    await engine.dispose()


@pytest.fixture
def sent(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver is asked for from now on."""
    asked: list[str] = []

    async def fetch(self: asyncpg.Connection, query: str, *values: Any, **options: Any) -> Any:
        asked.append(query)
        return await unheard(self, query, *values, **options)

    unheard = asyncpg.Connection.fetch
    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch)
    return asked


async def _rows(connection: Connection, statement: Any) -> list[tuple[int, ...]]:
    return [tuple(row) for row in await connection.execute(statement)]


async def test_writes_to_different_tables_are_one_statement_before_the_next_question(
    connection: Connection, sent: list[str]
) -> None:
    # Each has an argument of the same name, and the second one refers to the row of the first.
    await connection.write(_ADD_A, {"id": 1, "n": 10})
    await connection.write(_ADD_B, {"id": 2, "a_id": 1})
    assert sent == []
    assert (await _rows(connection, _A), await _rows(connection, _B)) == ([(1, 10)], [(2, 1)])
    assert len(sent) == 3


async def test_a_write_that_touches_what_an_earlier_one_wrote_comes_after_it(
    connection: Connection, sent: list[str]
) -> None:
    await connection.write(_ADD_A, {"id": 1, "n": 10})
    await connection.write(_RAISE_A, {"id": 1, "by": 5})
    await connection.write(_RAISE_A, {"id": 1, "by": 2})
    await connection.write(_COPY_A, {"by": 100})
    assert await _rows(connection, _A) == [(1, 17)]
    assert await _rows(connection, _B) == [(101, 1)]
    assert len(sent) == 4 + 2


async def test_what_reads_a_table_is_not_sent_with_what_changes_it_later(connection: Connection) -> None:
    await connection.write(_ADD_A, {"id": 1, "n": 10})
    await connection.write(_COPY_A, {"by": 100})
    await connection.write(_ADD_A, {"id": 2, "n": 20})
    assert await _rows(connection, _B) == [(101, 1)]


async def test_what_is_still_to_be_written_goes_with_the_commit_or_not_at_all(
    connection: Connection, sent: list[str]
) -> None:
    await connection.write(_ADD_A, {"id": 1, "n": 10})
    await connection.commit()
    assert len(sent) == 1


async def test_a_refusal_is_heard_at_the_commit(connection: Connection) -> None:
    await connection.write(_ADD_B, {"id": 1, "a_id": 404})
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.commit()
