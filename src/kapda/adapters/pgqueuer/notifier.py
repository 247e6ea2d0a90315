"""Tells the workers, after a commit, that there are jobs.

pgqueuer's own trigger would do it inside the transaction, and a transaction that notifies takes a lock which the commits
of all others queue for: less than half of the commits a second. So the schema has no trigger, and this notifies on
another connection. When it fails, the workers find the jobs a second later by polling.
"""

import asyncio
from collections.abc import Collection, Iterable

import structlog
from pgqueuer.domain.models import TableChangedEvent, utc_now
from pgqueuer.domain.types import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.names import SETTINGS, channel_of
from kapda.adapters.postgres.connection import BEHIND_CALLS_SECONDS, Connection
from kapda.domain.shared.jobs import Job

# Between two notifications of one process. The first commit after a pause is announced at once; those of a crowd
# share one. Each makes every worker look into its queue, so a crowd of a hundred buyers costs ten looks a second.
PAUSE_SECONDS = 0.1

# A transaction that only notifies still writes a commit record; nobody needs to wait for the disk to have it.
_NOTIFY = text("""
    SELECT set_config('synchronous_commit', 'off', true), pg_notify(n.channel, n.payload)
    FROM unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS n (channel, payload)
""")

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.jobs")


class JobNotifier:
    """Announces jobs: at most one announcement on its way and one to follow, however many commits there are."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs: set[Job] = set()
        self._task: asyncio.Task[None] | None = None

    def notify(self, jobs: Iterable[Job]) -> None:
        """Have the workers of these kinds look soon, without waiting.

        Never fails; call it in the event loop, after the commit.
        """
        self._jobs.update(jobs)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="notify workers")

    async def aclose(self) -> None:
        """Wait for what is on its way; call it before the engine is disposed of."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._jobs:
            jobs, self._jobs = self._jobs, set()
            try:
                await self._send(jobs)
            except Exception as error:  # noqa: BLE001 - a loss costs a second; nobody waits for the outcome
                _log.warning("workers not notified", type=type(error).__qualname__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self, jobs: Collection[Job]) -> None:
        channels = [channel_of(job) for job in jobs]
        async with asyncio.timeout(BEHIND_CALLS_SECONDS), Connection(self._engine, autocommit=True) as connection:
            await connection.execute(_NOTIFY, {"channels": channels, "payloads": [_payload(one) for one in channels]})


def _payload(channel: Channel) -> str:
    return TableChangedEvent(
        channel=channel,
        sent_at=utc_now(),
        type="table_changed_event",
        operation="insert",
        table=SETTINGS.queue_table,
    ).model_dump_json()
