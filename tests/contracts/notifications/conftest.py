"""The queue of mails and the links, twice: in memory and in PostgreSQL. Asha has an account and a variant is for sale."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.orders.ports import OrderUnitOfWork
from tests.contracts.in_memory import InMemoryBacking
from tests.contracts.postgres import PostgresBacking


class EverythingUnitOfWork(NotificationUnitOfWork, OrderUnitOfWork, Protocol):
    """One transaction over the mails and over what they tell of."""


Store: TypeAlias = Callable[[], EverythingUnitOfWork]


@pytest.fixture(params=["in_memory_mails", "postgres_mails"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def in_memory_mails(in_memory_backing: InMemoryBacking) -> Store:
    await in_memory_backing.stock_variant()
    return in_memory_backing.database.unit_of_work


@pytest.fixture
async def postgres_mails(postgres_backing: PostgresBacking, contracts_engine: AsyncEngine) -> Store:
    await postgres_backing.stock_variant()
    return lambda: PostgresUnitOfWork(contracts_engine)
