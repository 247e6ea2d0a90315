"""Threads for slow work, with a bound on how many may wait for them."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, get_native_id
from typing import TypeVar

from kapda.domain.shared.errors import Reason, UnavailableError

Result = TypeVar("Result")

# When a full pool has probably got through what waits in it.
RETRY_AFTER_SECONDS = 1.0


class BoundedPool:
    """Runs functions in at most `threads` threads; at most `max_waiting` more calls wait, and the next is refused.

    A place is given back when the work has ended, not when its caller stops waiting: callers who give up and come again
    cannot pile up work behind their own backs.
    """

    def __init__(self, name: str, *, threads: int, max_waiting: int, niceness: int = 0) -> None:
        """`niceness` is how far the threads stand back for all others of the machine, 0 to 19."""
        self._executor = ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=_stand_back, initargs=(niceness,)
        )
        self._places = BoundedSemaphore(threads + max_waiting)

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises. Raises UnavailableError (OVERLOADED) at once when every place is taken."""
        if not self._places.acquire(blocking=False):
            raise UnavailableError(Reason.OVERLOADED, "too many at once, try again", retry_after=RETRY_AFTER_SECONDS)
        try:
            future = self._executor.submit(work)
        except BaseException:
            self._places.release()
            raise
        future.add_done_callback(self._give_back)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Refuse new work, drop what waits, and wait for what runs."""
        self._executor.shutdown(cancel_futures=True)

    def _give_back(self, _: "Future[Result]") -> None:
        self._places.release()


def _stand_back(niceness: int) -> None:
    """On Linux every thread has a niceness of its own; elsewhere it is the process's, which must not change."""
    if niceness and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), niceness)
