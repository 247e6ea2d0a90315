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


async def test_what_a_crowd_asks_for_is_done_together_and_nothing_is_forgotten() -> None:
    rounds, asked, sooner, stop = list[int](), 0, asyncio.Event(), asyncio.Event()

    async def work() -> None:
        rounds.append(asked)

    running = asyncio.create_task(every(3600.0, "work", work, stop, sooner=sooner, apart=0.2))
    for _ in range(50):
        asked += 1
        sooner.set()
        await asyncio.sleep(0.01)
    await until(lambda: rounds[-1] == asked)
    stop.set()
    await asyncio.wait_for(running, 5)
    # One at the start, and one for each fifth of a second that the asking took.
    assert len(rounds) < 25


async def test_a_stop_is_not_kept_waiting_by_the_pause_between_rounds() -> None:
    done, stop = list[int](), asyncio.Event()

    async def work() -> None:
        done.append(len(done))

    running = asyncio.create_task(every(3600.0, "work", work, stop, sooner=asyncio.Event(), apart=1800.0))
    await until(lambda: done == [0])
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_a_failure_is_not_the_end() -> None:
    tries, stop = list[int](), asyncio.Event()

    async def fail() -> None:
        tries.append(len(tries))
        raise ValueError("boom")

    running = asyncio.create_task(every(0.01, "work", fail, stop))
    await until(lambda: len(tries) > 2)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_what_hangs_at_the_stop_is_cut_off_and_what_ends_in_time_is_not() -> None:
    ended, begun, stop = list[str](), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def end_a_little_later() -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        ended.append("in time")

    running = [
        asyncio.create_task(every(3600.0, "hangs", hang, stop, limit=3600.0, grace=0.2)),
        asyncio.create_task(every(3600.0, "ends", end_a_little_later, stop, limit=3600.0, grace=60.0)),
    ]
    await asyncio.wait_for(begun.wait(), 5)
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 5)
    assert ended == ["in time"]
