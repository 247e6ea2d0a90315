"""The queue of mails and the links, twice: in memory and in PostgreSQL, with Asha's account in both."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.notifications.ports import NotificationUnitOfWork
from tests.contracts.in_memory import InMemoryBacking
from tests.contracts.postgres import PostgresBacking

Store: TypeAlias = Callable[[], NotificationUnitOfWork]


@pytest.fixture(params=["in_memory_mails", "postgres_mails"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_mails(in_memory_backing: InMemoryBacking) -> Store:
    return in_memory_backing.database.unit_of_work


@pytest.fixture
def postgres_mails(postgres_backing: PostgresBacking, contracts_engine: AsyncEngine) -> Store:
    return lambda: PostgresUnitOfWork(contracts_engine)
