"""A queue in a database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.jobs import PgqueuerJobs
from kapda.adapters.postgres.engine import make_engine
from kapda.domain.shared.jobs import Job


@dataclass(frozen=True, slots=True)
class Queue:
    """Looks into the queue from beside it."""

    engine: AsyncEngine

    async def rows(self) -> list[tuple[str, str]]:
        async with self.engine.connect() as connection:
            found = await connection.execute(text("SELECT entrypoint, status FROM pgqueuer ORDER BY id"))
            return [(row.entrypoint, row.status) for row in found]

    async def wake(self, job: Job, *subjects: UUID) -> None:
        async with self.engine.begin() as connection:
            for subject in subjects:
                await PgqueuerJobs(connection).wake(job, subject)

    async def run(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def queue(engine: AsyncEngine) -> Queue:
    return Queue(engine)
