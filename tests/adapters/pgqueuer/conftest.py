"""A queue in a database of its own, and runners on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.jobs import PgqueuerJobs
from kapda.adapters.pgqueuer.runner import JobHandler, JobRunner
from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.engine import make_engine
from kapda.domain.shared.jobs import Job
from tests.waiting import until


@dataclass(frozen=True, slots=True)
class Queue:
    """Looks into the queue from beside it."""

    engine: AsyncEngine

    async def rows(self) -> list[tuple[str, str]]:
        async with self.engine.connect() as connection:
            found = await connection.execute(text("SELECT entrypoint, status FROM pgqueuer ORDER BY id"))
            return [(row.entrypoint, row.status) for row in found]

    async def wake(self, job: Job, *subjects: UUID) -> None:
        async with Connection(self.engine) as connection:
            for subject in subjects:
                await PgqueuerJobs(connection).wake(job, subject)
            await connection.commit()

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


@asynccontextmanager
async def running(
    database_url: str, handlers: Mapping[Job, JobHandler], *, concurrency: int = 8, grace: float = 5.0
) -> AsyncIterator[JobRunner]:
    """A runner at work; leaving the block stops it and waits for it."""
    runner = JobRunner(
        database_url, handlers, concurrency=concurrency, grace=grace, heartbeat_timeout=timedelta(seconds=2)
    )
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    try:
        await until(lambda: runner.is_running)
        yield runner
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def until_rows(queue: Queue, rows: list[tuple[str, str]]) -> None:
    async def there() -> bool:
        return await queue.rows() == rows

    await until(there)


class Seen:
    """A handler that remembers its subjects; `work` is what it does with each."""

    def __init__(self, work: Callable[[UUID], Awaitable[None]] | None = None) -> None:
        self.subjects: list[UUID] = []
        self._work = work

    def has(self, number: int) -> bool:
        return len(self.subjects) == number

    async def __call__(self, subject: UUID) -> None:
        self.subjects.append(subject)
        if self._work is not None:
            await self._work(subject)
