"""Stands in line for a connection, as every call does, and tells how long that takes."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

INTERVAL_SECONDS: Final = 0.1


async def probe_queue(
    connect: Callable[[], AbstractAsyncContextManager[object]],
    tell: Callable[[float], None],
    *,
    impatient_after: float,
    interval: float = INTERVAL_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Every `interval` seconds take a connection, give it back unused, and `tell` how long it took. Runs until cancelled.

    The pool serves in the order of coming, so this is what a call would wait. It is told of while the waiting lasts, each
    time that `impatient_after` seconds have passed: by the end of a long wait it is late to do anything about it. The time
    counts from when the look was due, so that a processor with no time for it shows as well. A database that is away says
    nothing about lines: calls fail at once then, and nobody waits.
    """
    while True:
        due = now() + interval
        await asyncio.sleep(interval)
        standing = asyncio.create_task(_stand_in_line(connect))
        try:
            while not (await asyncio.wait((standing,), timeout=impatient_after))[0]:
                tell(now() - due)
        finally:
            standing.cancel()
        if standing.result():
            tell(now() - due)


async def _stand_in_line(connect: Callable[[], AbstractAsyncContextManager[object]]) -> bool:
    """Whether there is a line at all: true also for one that is too long to be waited in."""
    try:
        async with connect():
            return True
    except PoolTimeoutError:
        return True
    except Exception:  # noqa: BLE001  (whatever keeps the database away, readiness tells of it)
        return False
