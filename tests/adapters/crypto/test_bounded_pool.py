import asyncio
import threading
import time

import pytest

from kapda.adapters.crypto.bounded_pool import BoundedPool
from kapda.domain.shared.errors import Reason, UnavailableError


async def test_one_call_too_many_is_refused_at_once_and_there_is_room_again_after() -> None:
    pool = BoundedPool("test", threads=2, max_waiting=1)
    gate = threading.Event()
    calls = [asyncio.create_task(pool.run(gate.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    began = time.monotonic()
    with pytest.raises(UnavailableError) as refusal:
        await pool.run(gate.wait)
    assert time.monotonic() - began < 0.1
    assert refusal.value.reason is Reason.OVERLOADED
    assert refusal.value.retry_after == 1.0
    gate.set()
    assert await asyncio.gather(*calls) == [True, True, True]
    assert await pool.run(lambda: 7) == 7
    pool.close()


async def test_a_caller_who_gives_up_frees_the_place_only_when_the_work_has_ended() -> None:
    pool = BoundedPool("test", threads=1, max_waiting=0)
    gate, started = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        gate.wait()

    call = asyncio.create_task(pool.run(work))
    await asyncio.to_thread(started.wait)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(UnavailableError):
        await pool.run(lambda: 7)
    gate.set()
    pool.close()


async def test_work_that_fails_gives_its_place_back() -> None:
    pool = BoundedPool("test", threads=1, max_waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        await asyncio.sleep(0.01)
    assert await pool.run(lambda: 7) == 7
    pool.close()
