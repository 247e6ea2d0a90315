"""The database server goes away and comes back under a process that keeps its pools."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.errors import Reason, UnavailableError


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    folder: Path = tmp_path_factory.mktemp("restarts")
    with EmbeddedPostgres(folder, settings={"max_connections": "10"}) as running:
        yield running


@pytest.fixture
async def engine(server: EmbeddedPostgres) -> AsyncIterator[AsyncEngine]:
    """An engine with all its connections open."""
    made = make_engine(server.url(), pool_size=4)
    await asyncio.gather(*(_ask(made, "SELECT pg_sleep(0.05)") for _ in range(4)))
    yield made
    await made.dispose()


async def _ask(engine: AsyncEngine, statement: str = "SELECT 1") -> None:
    async with PostgresUnitOfWork(engine) as uow:
        await uow.connection.execute(text(statement))


async def _answers_within(engine: AsyncEngine, seconds: float) -> None:
    """Until it answers, nothing but UNAVAILABLE is heard."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await _ask(engine)
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)


async def test_after_a_restart_the_next_calls_work(server: EmbeddedPostgres, engine: AsyncEngine) -> None:
    server.stop()
    server.start()
    # Stopping blocked this loop; a process's own loop would have seen the sockets close meanwhile.
    await asyncio.sleep(0.05)
    for _ in range(8):
        await _ask(engine)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_while_it_is_down_calls_are_unavailable_at_once_and_work_soon_after(
    server: EmbeddedPostgres, engine: AsyncEngine, end: str
) -> None:
    getattr(server, end)()
    began = time.monotonic()
    for _ in range(6):
        with pytest.raises(UnavailableError) as refused:
            await _ask(engine)
        assert refused.value.reason is Reason.DATABASE_UNAVAILABLE
    assert time.monotonic() - began < 1.0
    server.start()
    await asyncio.gather(*(_answers_within(engine, 5.0) for _ in range(8)))


async def test_calls_at_work_when_it_is_killed_are_unavailable(server: EmbeddedPostgres, engine: AsyncEngine) -> None:
    calls = [asyncio.create_task(_ask(engine, "SELECT pg_sleep(4)")) for _ in range(4)]
    await asyncio.sleep(0.2)
    server.kill()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    server.start()

    assert [type(outcome) for outcome in ended] == [UnavailableError] * 4
    await _answers_within(engine, 5.0)


async def test_a_server_without_connections_left_is_told_as_overload(server: EmbeddedPostgres) -> None:
    greedy = make_engine(server.url(), pool_size=12)
    try:
        ended = await asyncio.gather(*(_ask(greedy, "SELECT pg_sleep(0.3)") for _ in range(12)), return_exceptions=True)
        refused = [outcome for outcome in ended if outcome is not None]
        assert len(refused) == 2
        assert all(isinstance(error, UnavailableError) and error.reason is Reason.OVERLOADED for error in refused)
        await _ask(greedy)
    finally:
        await greedy.dispose()
