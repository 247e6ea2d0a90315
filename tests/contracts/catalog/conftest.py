"""Two catalogues that every contract test runs on: the one in memory that other tests use, and PostgreSQL's."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.catalog import PostgresProducts
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.seed.records import CatalogueRecords
from kapda.adapters.postgres.seed.write import write_catalogue
from kapda.domain.catalog.ports import Products
from tests.contracts.catalog.asking import OpenShop
from tests.fakes.catalog import InMemoryProducts
from tests.fakes.catalog_builder import FIRST_DAY, CatalogueBuilder


@pytest.fixture
def shop() -> CatalogueBuilder:
    """An empty shop to put products into before it opens."""
    return CatalogueBuilder()


@pytest.fixture(params=["memory", "postgres"])
def open_shop(request: pytest.FixtureRequest) -> OpenShop:
    """Opens a shop with what was put into it."""
    opener: OpenShop = request.getfixturevalue(f"open_{request.param}_shop")
    return opener


@pytest.fixture
def open_memory_shop() -> OpenShop:
    """Opens a shop in memory."""

    async def open_with(records: CatalogueRecords) -> Products:
        return InMemoryProducts(records)

    return open_with


@pytest.fixture
def open_postgres_shop(engine: AsyncEngine) -> OpenShop:
    """Opens a shop in a database of its own."""

    async def open_with(records: CatalogueRecords) -> Products:
        async with engine.begin() as connection:
            await write_catalogue(connection, records, FIRST_DAY)
        return PostgresProducts(engine)

    return open_with


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection to a database of the test's own."""
    made = make_engine(database_url, pool_size=1)
    yield made
    await made.dispose()
