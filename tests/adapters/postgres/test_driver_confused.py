"""A server that dies between two messages confuses the driver: callers are told to come again."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.constraint_errors import domain_error
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import SessionId


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_url, pool_size=1)
    yield made
    await made.dispose()


@pytest.fixture
def confused(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Any]]:
    """Connections whose driver has lost its thread: put them in here. When exactly it does is the network's own throw."""
    found: set[Any] = set()
    fetch = asyncpg.Connection.fetch

    async def lost(connection: Any, *arguments: Any, **options: Any) -> Any:
        if not found or connection in found:
            found.add(connection)
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
        return await fetch(connection, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetch", lost)
    yield found
    found.clear()


async def test_whose_session_is_looked_up_then_is_answered_over_another_connection(
    engine: AsyncEngine, confused: set[Any]
) -> None:
    assert await PostgresSessionReader(engine).find(SessionId(uuid4())) is None
    (connection,) = confused
    assert connection.is_closed()


async def test_who_finds_no_connection_that_has_its_thread_is_told_to_come_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any, **__: Any) -> Any:
        raise asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")

    monkeypatch.setattr(asyncpg.Connection, "fetch", lost)
    with pytest.raises(UnavailableError) as told:
        await PostgresSessionReader(engine).find(SessionId(uuid4()))
    assert told.value.reason is Reason.DATABASE_UNAVAILABLE


def test_a_driver_that_lost_its_thread_is_an_unavailable_database() -> None:
    meaning = domain_error(asyncpg.InternalClientError("cannot switch to state 15"))
    assert isinstance(meaning, UnavailableError)
    assert meaning.reason is Reason.DATABASE_UNAVAILABLE


async def test_a_connection_that_is_closed_while_it_is_being_set_up_is_an_unavailable_database(
    engine: AsyncEngine,
) -> None:
    """Made in time, and gone before its first question: the driver then speaks of its own use and not of the server."""

    def close(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.driver_connection.terminate()

    event.listen(engine.sync_engine, "connect", close, insert=True)
    with pytest.raises(UnavailableError) as told:
        async with PostgresUnitOfWork(engine):
            pass
    assert told.value.reason is Reason.DATABASE_UNAVAILABLE
