"""Runs one kind of job within a bound, and gives a job that is cut off back to the queue."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context
from pgqueuer.domain.models import Job as QueuedJob

from kapda.adapters.pgqueuer.names import from_payload


@dataclass
class KeepingExecutor(AbstractEntrypointExecutor):
    """Bounds how many jobs run; pgqueuer itself deletes a job whose task is cancelled, this keeps it queued."""

    handler: Callable[[UUID], Awaitable[None]]
    places: asyncio.Semaphore
    _waiting: set[asyncio.Task[Any]] = field(default_factory=set, init=False)
    _working: set[asyncio.Task[Any]] = field(default_factory=set, init=False)
    _stopping: bool = field(default=False, init=False)

    @classmethod
    def for_handler(cls, handler: Callable[[UUID], Awaitable[None]], concurrency: int) -> Self:
        """An executor of `concurrency` jobs at once, that hands a job's subject to `handler`."""

        async def unused(_: QueuedJob) -> None:
            """pgqueuer wants a function of a job in its parameters; `execute` below never asks for it."""

        # No limit in pgqueuer itself: its own is for all workers together and costs a search for a free seat a job.
        return cls(EntrypointExecutorParameters(0, unused), handler, asyncio.Semaphore(concurrency))

    async def execute(self, job: QueuedJob, context: Context) -> None:  # noqa: ARG002 - pgqueuer's signature
        """Run the job when there is a place for it; while stopping, or when cancelled, queue it again instead."""
        if self._stopping:
            raise RetryRequested(timedelta(0))
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a job runs in a task")
        try:
            self._waiting.add(task)
            async with self.places:
                self._waiting.discard(task)
                self._working.add(task)
                await self.handler(from_payload(job.payload))
        except asyncio.CancelledError:
            raise RetryRequested(timedelta(0)) from None
        finally:
            self._waiting.discard(task)
            self._working.discard(task)

    def give_back_waiting(self) -> None:
        """Begin no more jobs; those in hand that have not begun go back to the queue."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    def give_back_all(self) -> None:
        """Cut off the jobs at work as well; they go back to the queue."""
        for task in self._working:
            task.cancel()
