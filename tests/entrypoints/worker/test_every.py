"""Work that is done again and again may be asked for sooner."""

import asyncio

from kapda.entrypoints.worker.every import every
from tests.waiting import until


async def test_work_is_done_at_once_and_again_when_it_is_asked_for_meanwhile() -> None:
    done, sooner, stop = list[int](), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        done.append(len(done))
        if len(done) == 2:
            sooner.set()

    running = asyncio.create_task(every(3600.0, "work", work, stop, sooner=sooner))
    await until(lambda: len(done) == 1)
    sooner.set()
    await until(lambda: len(done) == 3)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert len(done) == 3


async def test_a_failure_is_not_the_end() -> None:
    tries, stop = list[int](), asyncio.Event()

    async def fail() -> None:
        tries.append(len(tries))
        raise ValueError("boom")

    running = asyncio.create_task(every(0.01, "work", fail, stop))
    await until(lambda: len(tries) > 2)
    stop.set()
    await asyncio.wait_for(running, 5)
