"""Every suite that asks for `backing` runs twice: on the fakes, and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from kapda.adapters.postgres.engine import make_engine
from tests.contracts.backing import Backing
from tests.contracts.in_memory import InMemoryBacking
from tests.contracts.postgres import PostgresBacking


@pytest.fixture(params=["in_memory_backing", "postgres_backing"])
def backing(request: pytest.FixtureRequest) -> Backing:
    """One implementation of the repositories, its foundations laid."""
    chosen: Backing = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_backing() -> InMemoryBacking:
    return InMemoryBacking()


@pytest.fixture
async def postgres_backing(database_url: str) -> AsyncIterator[PostgresBacking]:
    engine = make_engine(database_url)
    backing = PostgresBacking(engine)
    await backing.prepare()
    yield backing
    await engine.dispose()
