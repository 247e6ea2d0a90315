"""Runs jobs: one queue manager a kind of job, restarted whenever its connection or its listener is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager

from kapda.adapters.pgqueuer.executor import KeepingExecutor
from kapda.adapters.pgqueuer.names import SETTINGS, channel_of
from kapda.domain.shared.jobs import Job

# Jobs of one kind at work at once in this process. They wait for the gateway or the database, which both have pools
# about this size.
CONCURRENCY = 8
# Jobs taken from the queue in one statement; twice as many may be in hand, so that the next are there when one ends.
BATCH = 25
# A worker that was killed leaves its jobs marked as picked; another takes them over after this long without a sign of
# life. Until then their subjects cannot be woken either.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
# How often the queue is looked at when no notification comes.
POLL = timedelta(seconds=1)
# How soon it is looked at again while there is more than fits in hand.
BUSY_POLL = timedelta(milliseconds=20)
# Seconds that jobs at work get to finish after the stop; then they go back to the queue.
GRACE_SECONDS = 12.0
# Seconds before a lost connection is tried again.
RESTART_SECONDS = 1.0
CONNECT_TIMEOUT_SECONDS = 5.0
# A server that hangs is not waited for; the connection is then dropped.
CLOSE_TIMEOUT_SECONDS = 2.0
# Every statement is short; one that takes this long has lost its server.
COMMAND_TIMEOUT_SECONDS = 10.0

# Looks at one subject. Raises nothing: a failure is noted in the subject's own row.
JobHandler = Callable[[UUID], Awaitable[None]]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.jobs")


class JobRunner:
    """Hands jobs to their handlers until told to stop.

    Every kind has a connection and a share of its own, so that one kind that waits for a slow gateway never holds up
    another. pgqueuer's retries are not used: they end after a few, and work on money never does. A job ends when its
    handler does, whatever came of it; when to look again stands in the subject's own row, where attempts are counted
    too, and the sweep wakes it. A job in hand when this process ends is kept: by giving it back, or after a crash by
    the heartbeat it no longer has.
    """

    def __init__(
        self,
        database_url: str,
        handlers: Mapping[Job, JobHandler],
        *,
        concurrency: int = CONCURRENCY,
        heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT,
        grace: float = GRACE_SECONDS,
    ) -> None:
        """`database_url` is `postgresql://...`; `grace` is in seconds, `concurrency` counts jobs of one kind."""
        self._database_url = database_url
        self._handlers = handlers
        self._concurrency = concurrency
        self._heartbeat_timeout = heartbeat_timeout
        self._grace = grace
        self._serving: set[Job] = set()

    @property
    def is_running(self) -> bool:
        """Whether every kind of job is being taken from the queue."""
        return self._serving == set(self._handlers)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set and the jobs at work have ended or gone back to the queue."""
        async with asyncio.TaskGroup() as queues:
            for job in self._handlers:
                queues.create_task(self._keep_serving(job, stop), name=f"queue {job.value}")

    async def _keep_serving(self, job: Job, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._serve(job, stop)
            except Exception as error:  # noqa: BLE001 - whatever ended it, the queue is taken up again
                _log.warning("job queue lost", job=job.value, type=type(error).__qualname__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_SECONDS)

    async def _serve(self, job: Job, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            # pgqueuer's statements are the same at every call, and planning its dequeue takes longer than running it.
            server_settings={"application_name": f"kapda {job.value}", "plan_cache_mode": "force_generic_plan"},
        )
        manager = _manager(connection, job)
        executor = KeepingExecutor.for_handler(self._handlers[job], self._concurrency)
        manager.register_executor(job.value, executor)
        stopping = asyncio.create_task(self._wind_down(manager, executor, stop))
        self._serving.add(job)
        try:
            await manager.run(
                dequeue_timeout=POLL,
                batch_size=BATCH,
                max_concurrent_tasks=2 * BATCH,
                # A listener that is lost in silence is noticed, and everything set up anew.
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._heartbeat_timeout,
                # Its statistics would be one more table to write and prune; ours are counted in the process.
                log_aggregation_interval=timedelta(0),
            )
        finally:
            self._serving.discard(job)
            stopping.cancel()
            with suppress(Exception):
                await connection.close(timeout=CLOSE_TIMEOUT_SECONDS)

    async def _wind_down(self, manager: QueueManager, executor: KeepingExecutor, stop: asyncio.Event) -> None:
        await stop.wait()
        manager.shutdown.set()
        executor.give_back_waiting()
        await asyncio.sleep(self._grace)
        executor.give_back_all()


def _manager(connection: asyncpg.Connection, job: Job) -> QueueManager:
    queries = Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )
    manager = QueueManager(queries, channel_of(job))
    manager.min_dequeue_poll_interval = BUSY_POLL
    return manager
