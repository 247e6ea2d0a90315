"""Jobs run, within bounds, whatever happens to connections; what is cut off goes back to the queue."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.adapters.pgqueuer.runner import JobHandler, JobRunner
from kapda.domain.shared.jobs import Job
from tests.adapters.pgqueuer.conftest import Queue
from tests.waiting import until


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


async def test_each_job_reaches_the_handler_of_its_kind_with_its_subject(database_url: str, queue: Queue) -> None:
    subjects = {job: uuid4() for job in Job}
    seen = {job: Seen() for job in Job}
    async with running(database_url, seen):
        for job, subject in subjects.items():
            await queue.wake(job, subject)
        await until_rows(queue, [])
    assert {job: handler.subjects for job, handler in seen.items()} == {job: [one] for job, one in subjects.items()}


async def test_a_notified_job_is_picked_up_long_before_the_next_poll(database_url: str, queue: Queue) -> None:
    seen = Seen()
    notifier = JobNotifier(queue.engine)
    async with running(database_url, {Job.RELAY_EVENTS: seen}):
        took: list[float] = []
        for number in range(1, 6):
            await asyncio.sleep(0.2)
            await queue.wake(Job.RELAY_EVENTS, uuid4())
            started = time.monotonic()
            notifier.notify()
            await until(partial(seen.has, number))
            took.append(time.monotonic() - started)
        await notifier.aclose()
    assert sorted(took)[2] < 0.3


async def test_a_job_nobody_was_told_of_is_found_by_polling(database_url: str, queue: Queue) -> None:
    seen = Seen()
    async with running(database_url, {Job.RELAY_EVENTS: seen}):
        await asyncio.sleep(0.3)
        await queue.wake(Job.RELAY_EVENTS, uuid4())
        await until(lambda: len(seen.subjects) == 1, within=3)


async def test_only_so_many_run_at_once_and_all_run(database_url: str, queue: Queue) -> None:
    at_work = most = 0

    async def work(_: UUID) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1

    seen = Seen(work)
    subjects = [uuid4() for _ in range(120)]
    await queue.wake(Job.SETTLE_CHECKOUT, *subjects)
    async with running(database_url, {Job.SETTLE_CHECKOUT: seen}, concurrency=4):
        await until_rows(queue, [])
    assert sorted(seen.subjects) == sorted(subjects)
    assert most == 4


async def test_a_kind_that_hangs_holds_up_no_other(database_url: str, queue: Queue) -> None:
    release = asyncio.Event()

    async def hang(_: UUID) -> None:
        await release.wait()

    relayed = Seen()
    await queue.wake(Job.SETTLE_CHECKOUT, *(uuid4() for _ in range(100)))
    async with running(database_url, {Job.SETTLE_CHECKOUT: Seen(hang), Job.RELAY_EVENTS: relayed}):
        await queue.wake(Job.RELAY_EVENTS, uuid4())
        await until(lambda: len(relayed.subjects) == 1, within=5)
        release.set()


async def test_two_workers_share_the_jobs_and_run_each_once(database_url: str, queue: Queue) -> None:
    async def work(_: UUID) -> None:
        await asyncio.sleep(0.005)

    one, two = Seen(work), Seen(work)
    subjects = [uuid4() for _ in range(100)]
    async with (
        running(database_url, {Job.RELAY_EVENTS: one}),
        running(database_url, {Job.RELAY_EVENTS: two}),
    ):
        await queue.wake(Job.RELAY_EVENTS, *subjects)
        await until_rows(queue, [])
    assert sorted(one.subjects + two.subjects) == sorted(subjects)


async def test_the_stop_lets_a_job_at_work_finish(database_url: str, queue: Queue) -> None:
    finished: list[UUID] = []

    async def work(subject: UUID) -> None:
        await asyncio.sleep(0.5)
        finished.append(subject)

    seen = Seen(work)
    async with running(database_url, {Job.RELAY_EVENTS: seen}):
        await queue.wake(Job.RELAY_EVENTS, uuid4())
        await until(lambda: len(seen.subjects) == 1)
    assert finished == seen.subjects
    assert await queue.rows() == []


async def test_a_job_that_outlasts_the_grace_goes_back_to_the_queue(database_url: str, queue: Queue) -> None:
    async def work(_: UUID) -> None:
        await asyncio.sleep(60)

    seen = Seen(work)
    async with running(database_url, {Job.RELAY_EVENTS: seen}, grace=0.2):
        await queue.wake(Job.RELAY_EVENTS, uuid4())
        await until(lambda: len(seen.subjects) == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert await queue.rows() == [("relay_events", "queued")]
    again = Seen()
    async with running(database_url, {Job.RELAY_EVENTS: again}):
        await until_rows(queue, [])
    assert again.subjects == seen.subjects


async def test_jobs_in_hand_that_have_not_begun_go_back_at_once(database_url: str, queue: Queue) -> None:
    async def work(_: UUID) -> None:
        await asyncio.sleep(0.5)

    seen = Seen(work)
    await queue.wake(Job.RELAY_EVENTS, *(uuid4() for _ in range(30)))
    async with running(database_url, {Job.RELAY_EVENTS: seen}, concurrency=2):
        await until(lambda: len(seen.subjects) == 2)
    assert len(seen.subjects) <= 4
    assert await queue.rows() == [("relay_events", "queued")] * (30 - len(seen.subjects))


@pytest.mark.parametrize("during_a_job", [False, True])
async def test_a_lost_connection_is_replaced_and_the_work_goes_on(
    database_url: str, queue: Queue, during_a_job: bool
) -> None:
    async def work(_: UUID) -> None:
        await asyncio.sleep(0.3 if during_a_job else 0)

    seen = Seen(work)
    async with running(database_url, {Job.RELAY_EVENTS: seen}):
        if during_a_job:
            await queue.wake(Job.RELAY_EVENTS, uuid4())
            await until(lambda: len(seen.subjects) == 1)
        await queue.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kapda relay_events'"
        )
        last = uuid4()
        await queue.wake(Job.RELAY_EVENTS, last)
        await until(lambda: last in seen.subjects)
        await until_rows(queue, [])


async def test_a_database_that_is_not_there_yet_is_waited_for(database_url: str, queue: Queue) -> None:
    seen = Seen()
    await queue.run("ALTER TABLE pgqueuer RENAME TO pgqueuer_away")
    runner = JobRunner(database_url, {Job.RELAY_EVENTS: seen})
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    await asyncio.sleep(0.5)
    assert not task.done()
    await queue.run("ALTER TABLE pgqueuer_away RENAME TO pgqueuer")
    await queue.wake(Job.RELAY_EVENTS, uuid4())
    await until(lambda: len(seen.subjects) == 1)
    stop.set()
    await asyncio.wait_for(task, 10)


KILLED = """
import asyncio, sys
from datetime import timedelta
from kapda.adapters.pgqueuer.runner import JobRunner
from kapda.domain.shared.jobs import Job

async def handle(subject):
    print(subject, flush=True)
    await asyncio.sleep(60)

runner = JobRunner(sys.argv[1], {Job.RELAY_EVENTS: handle}, heartbeat_timeout=timedelta(seconds=2))
asyncio.run(runner.run(asyncio.Event()))
"""


async def test_the_job_of_a_worker_that_was_killed_is_taken_over(database_url: str, queue: Queue) -> None:
    subject = uuid4()
    await queue.wake(Job.RELAY_EVENTS, subject)
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert victim.stdout is not None
    assert (await asyncio.wait_for(victim.stdout.readline(), 20)).decode().strip() == str(subject)
    victim.kill()
    await victim.wait()
    assert await queue.rows() == [("relay_events", "picked")]
    seen = Seen()
    async with running(database_url, {Job.RELAY_EVENTS: seen}):
        await until(lambda: seen.subjects == [subject])
        await until_rows(queue, [])


async def test_the_environment_renames_nothing() -> None:
    """pgqueuer reads the names of its objects from the environment, even from a bare CHANNEL."""
    stray = ("CHANNEL", "QUEUE_TABLE", "QUEUE_TABLE_LOG", "PGQUEUER_PREFIX", "PGQUEUER_SCHEMA", "PGQUEUER_CHANNEL")
    script = "from kapda.adapters.pgqueuer.names import SETTINGS as s; print(s.channel, s.qualified)"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        env={**os.environ, **dict.fromkeys(stray, "stray")},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert output
    assert b"stray" not in output
