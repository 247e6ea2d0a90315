"""Jobs run, soon, within bounds, each once."""

import asyncio
import time
from functools import partial
from uuid import UUID, uuid4

from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.domain.shared.jobs import Job
from tests.adapters.pgqueuer.conftest import Queue, Seen, running, until_rows
from tests.waiting import until


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
            notifier.notify([Job.RELAY_EVENTS])
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
