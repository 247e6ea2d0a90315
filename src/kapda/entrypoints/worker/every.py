"""Does something again and again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from kapda.domain.shared.errors import DomainError
from kapda.entrypoints.telemetry import describe

# As jobs get at the stop, which is less than whoever stops a process usually waits.
GRACE_SECONDS: Final = 12.0

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.worker")


async def every(
    seconds: float,
    name: str,
    work: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    *,
    limit: float = 10.0,
    grace: float = GRACE_SECONDS,
    sooner: asyncio.Event | None = None,
    apart: float = 0.0,
) -> None:
    """Do `work` at once and then with `seconds` in between, until `stop` is set. A failure is logged, not raised.

    `sooner` cuts the pause short, also when it was set while the work was going on, but not below `apart` seconds: what
    a crowd asks for one by one is then done together.

    One that takes longer than `limit` seconds is cut off: the next may fare better. What is going on at the stop gets
    `grace` seconds more.
    """
    while not stop.is_set():
        if sooner is not None:
            sooner.clear()
        try:
            async with _within(limit, stop, grace):
                await work()
        except DomainError as error:
            _log.warning("schedule failed", schedule=name, kind=error.kind.value, reason=error.reason.value)
        except Exception as error:  # noqa: BLE001 - a schedule that ends for good would be missed too late
            _log.error("schedule failed", schedule=name, raised=describe(error))
        await _pause(apart, stop)
        await _pause(seconds - apart, *filter(None, (stop, sooner)))


@asynccontextmanager
async def _within(limit: float, stop: asyncio.Event, grace: float) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    latest = loop.time() + limit
    async with asyncio.timeout_at(latest) as cut:

        async def hurry() -> None:
            await stop.wait()
            cut.reschedule(min(latest, loop.time() + grace))

        hurrying = asyncio.create_task(hurry())
        try:
            yield
        finally:
            hurrying.cancel()


async def _pause(seconds: float, *events: asyncio.Event) -> None:
    """Until one of the events is set, `seconds` at most."""
    if seconds <= 0:
        return
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
