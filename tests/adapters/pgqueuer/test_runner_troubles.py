"""Stops, kills and lost connections: what is cut off goes back to the queue, and the work goes on."""

import asyncio
import os
import sys
import time
from uuid import UUID, uuid4

import pytest

from kapda.adapters.pgqueuer.runner import JobRunner
from kapda.domain.shared.jobs import Job
from tests.adapters.pgqueuer.conftest import Queue, Seen, running, until_rows
from tests.waiting import until


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
