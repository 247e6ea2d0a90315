"""Hears of work that is announced without being queued."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg
import structlog

from kapda.adapters.pgqueuer.names import channel_of
from kapda.domain.shared.jobs import Job

CONNECT_TIMEOUT_SECONDS: Final = 5.0
# Between two looks at whether the connection is still there; until then only the poll finds work.
CHECK_SECONDS: Final = 5.0
# A server that has gone without a word does not answer this in time.
PING_TIMEOUT_SECONDS: Final = 5.0
# Before a lost connection is tried again.
RESTART_SECONDS: Final = 1.0

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.jobs")


class JobListener:
    """The other end of JobNotifier, on a connection of its own that is made anew whenever it is lost."""

    def __init__(self, database_url: str) -> None:
        """`database_url` is `postgresql://...`."""
        self._database_url = database_url

    async def listen(self, job: Job, heard: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `heard` at every announcement of that kind, and once for each new connection, until `stop` is set."""
        while not stop.is_set():
            try:
                await self._listen(job, heard, stop)
            # InternalClientError: the connection was closed just as it was being used.
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
                _log.warning("announcements lost", job=job.value, type=type(error).__qualname__)
                await _sleep(RESTART_SECONDS, stop)

    async def _listen(self, job: Job, heard: Callable[[], None], stop: asyncio.Event) -> None:
        connection: Any = await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            server_settings={"application_name": f"kapda hears of {job.value}"},
        )
        try:
            await connection.add_listener(channel_of(job), lambda *_: heard())
            # What was announced while nobody listened.
            heard()
            while not stop.is_set():
                await connection.execute("SELECT 1", timeout=PING_TIMEOUT_SECONDS)
                await _sleep(CHECK_SECONDS, stop)
        finally:
            connection.terminate()


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
