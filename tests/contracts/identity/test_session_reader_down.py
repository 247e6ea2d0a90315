import socket
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import SessionId
from tests.fakes.identity import SettableClock


async def test_a_database_that_is_down_cannot_tell_of_a_session() -> None:
    with socket.socket() as taken_and_deaf:
        taken_and_deaf.bind(("127.0.0.1", 0))
        port = taken_and_deaf.getsockname()[1]
        engine: AsyncEngine = make_engine(f"postgresql://nobody@127.0.0.1:{port}/kapda")
        reader = PostgresSessionReader(engine)
        for question in (reader.find(SessionId(UUID(int=1))), reader.revoked_since(SettableClock().now())):
            with pytest.raises(UnavailableError) as refusal:
                await question
            assert refusal.value.reason is Reason.DATABASE_UNAVAILABLE
        await engine.dispose()


async def test_a_connection_that_the_server_has_ended_is_replaced(
    database_url: str, identity_engine: AsyncEngine
) -> None:
    reader = PostgresSessionReader(identity_engine)
    assert await reader.find(SessionId(UUID(int=1))) is None
    other = make_engine(database_url)
    async with other.connect() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await other.dispose()
    assert await reader.find(SessionId(UUID(int=1))) is None
