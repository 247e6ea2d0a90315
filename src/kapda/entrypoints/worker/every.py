"""Does something again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from kapda.domain.shared.errors import DomainError
from kapda.entrypoints.telemetry import describe

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.worker")


async def every(
    seconds: float, name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event, limit: float = 10.0
) -> None:
    """Do `work` at once and then with `seconds` in between, until `stop` is set. A failure is logged, not raised.

    One that takes longer than `limit` seconds is cut off: the next may fare better.
    """
    while not stop.is_set():
        try:
            async with asyncio.timeout(limit):
                await work()
        except DomainError as error:
            _log.warning("schedule failed", schedule=name, kind=error.kind.value, reason=error.reason.value)
        except Exception as error:  # noqa: BLE001 - a schedule that ends for good would be missed too late
            _log.error("schedule failed", schedule=name, raised=describe(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
