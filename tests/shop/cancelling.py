"""Cancels a task at a chosen await, or has something else befall it there."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class StruckAt(Generic[T]):
    """Awaits `work`, and `strike` first when `work` waits for the `at`-th time, counted from 0.

    `reached` says afterwards whether it came to that. It strikes between asking for something and hearing of it, which
    is where grpc cancels a handler whose caller has gone.
    """

    def __init__(self, work: Coroutine[Any, Any, T], at: int, strike: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._at = at
        self._strike = strike
        self.reached = False

    def __await__(self) -> Generator[Any, None, T]:
        steps, waits, thrown = self._work.__await__(), 0, None
        while True:
            try:
                future = steps.throw(thrown) if thrown is not None else next(steps)
            except StopIteration as ended:
                result: T = ended.value
                return result
            thrown = None
            try:
                if waits == self._at:
                    self.reached = True
                    yield from self._strike().__await__()
                waits += 1
                yield future
            except BaseException as error:  # noqa: BLE001  (whatever it is, it is for the work to hear)
                thrown = error


async def _cancel() -> None:
    if (task := asyncio.current_task()) is not None:
        task.cancel()


async def run_cancelled_at(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Run `work` in a task of its own and cancel it there; whether it had not ended before."""
    awaited = StruckAt(work, at, _cancel)

    async def run() -> None:
        await awaited

    task = asyncio.create_task(run())
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
    return awaited.reached
