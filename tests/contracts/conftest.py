"""Every suite that asks for `backing` runs twice: on the fakes, and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.postgres.engine import make_engine
from tests.contracts.backing import Backing
from tests.contracts.in_memory import InMemoryBacking
from tests.contracts.postgres import PostgresBacking

_DATABASE = "contracts"


@pytest.fixture(params=["in_memory_backing", "postgres_backing"])
def backing(request: pytest.FixtureRequest) -> Backing:
    """One implementation of the repositories, its foundations laid."""
    chosen: Backing = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_backing() -> InMemoryBacking:
    return InMemoryBacking()


@pytest.fixture
async def postgres_backing(contracts_engine: AsyncEngine) -> PostgresBacking:
    backing = PostgresBacking(contracts_engine)
    await backing.prepare()
    return backing


@pytest.fixture(scope="session")
async def contracts_engine(postgres_server: EmbeddedPostgres, postgres_template: str) -> AsyncIterator[AsyncEngine]:
    """One database for all of these tests, each of which empties it first: a copy for each would take half a minute."""
    admin = make_engine(postgres_server.url()).execution_options(isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {_DATABASE} TEMPLATE {postgres_template}"))
    await admin.dispose()
    engine = make_engine(postgres_server.url(_DATABASE))
    yield engine
    await engine.dispose()
