"""Identity's repositories, twice: in memory, and in a PostgreSQL database of the test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.session_ports import SessionReader
from kapda.domain.shared.ids import DesignerId, UserId
from tests.fakes.identity import IdentityTables, InMemoryIdentityUnitOfWork, InMemorySessionReader

_ADD_DESIGNER = text("""
    INSERT INTO designers (
        id, slug, display_name, legal_name, gstin, commission_basis_points, created_at, updated_at
    )
    VALUES (:id, :slug, 'A house', 'A house', '27AAPFU0939F1ZV', 1000, now(), now())
""")
_ADD_MEMBER = text(
    "INSERT INTO designer_members (designer_id, user_id, created_at) VALUES (:designer_id, :user_id, now())"
)


@dataclass(frozen=True)
class IdentityStore:
    """One implementation of the repositories, the reader, and a way to make somebody a member of a house."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    reader: SessionReader
    join: Callable[[DesignerId, UserId], Awaitable[None]]


@pytest.fixture(params=["in_memory_store", "postgres_store"])
def store(request: pytest.FixtureRequest) -> IdentityStore:
    chosen: IdentityStore = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_store() -> IdentityStore:
    tables = IdentityTables()

    async def join(designer_id: DesignerId, user_id: UserId) -> None:
        tables.designers.add(designer_id)
        tables.members.add((designer_id, user_id))

    return IdentityStore(lambda: InMemoryIdentityUnitOfWork(tables), InMemorySessionReader(tables), join)


@pytest.fixture
def postgres_store(identity_engine: AsyncEngine) -> IdentityStore:
    async def join(designer_id: DesignerId, user_id: UserId) -> None:
        async with identity_engine.begin() as connection:
            await connection.execute(_ADD_DESIGNER, {"id": designer_id, "slug": str(designer_id)})
            await connection.execute(_ADD_MEMBER, {"designer_id": designer_id, "user_id": user_id})

    return IdentityStore(lambda: PostgresUnitOfWork(identity_engine), PostgresSessionReader(identity_engine), join)


@pytest.fixture
async def identity_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()
