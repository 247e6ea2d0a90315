"""Money phases outlive their callers.

grpc cancels a handler at its next await when the deadline passes or the client goes away. What moves money must not end
there, so it runs in a task of its own that the handler only waits for; the drain waits for these tasks before the pools
close. Every phase can be run again, so what a crash cuts off is resumed by the same request or by the poller.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from kapda.domain.shared.errors import DomainError, Reason, UnavailableError
from kapda.entrypoints import log

T = TypeVar("T")

# Phases at work or waiting for one of the few connections at once: a crowd at a sale is let in and answered in turn, as
# many as the pools serve within a second or two; more are turned away at once.
MAX_PHASES = 256
# Longer than all the time limits inside a phase together: a limit of last resort against a phase that hangs.
PHASE_SECONDS = 60.0
# A phase that is cut off has its transaction to roll back; one that takes longer hangs, and dies with the process.
CUT_OFF_SECONDS = 5.0
# By then another process, or this one with the crowd served, answers.
RETRY_AFTER_SECONDS = 1.0


class DeadlineExceededError(Exception):
    """The server's own limit of time passed. What the call began may still take effect."""


class Supervisor:
    """Owns the tasks of money phases: a strong reference, a deadline and a place for each."""

    def __init__(self, limit: int = MAX_PHASES, seconds: float = PHASE_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self._draining = False

    async def run(self, name: str, phase: Callable[[], Awaitable[T]]) -> T:
        """Start `phase` and wait for its result; when the waiter is cancelled, the phase goes on.

        Raises what the phase raises; DeadlineExceededError after the phase's own deadline; UnavailableError (DRAINING,
        OVERLOADED) before anything has begun.
        """
        if self._draining:
            raise UnavailableError(Reason.DRAINING, "the server is going away", retry_after=RETRY_AFTER_SECONDS)
        # The place is given back when the task ends, not when its waiter goes.
        if len(self._tasks) >= self._limit:
            raise UnavailableError(
                Reason.OVERLOADED, "too many purchases at the moment", retry_after=RETRY_AFTER_SECONDS
            )
        task = asyncio.create_task(self._bounded(phase), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def drain(self, seconds: float) -> None:
        """Begin no more phases and wait for those at work. After `seconds` the rest is cancelled: it can be resumed."""
        self._draining = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            log.warning("phase cut off by the drain", phase=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CUT_OFF_SECONDS)

    async def _bounded(self, phase: Callable[[], Awaitable[T]]) -> T:
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                return await phase()
        except TimeoutError as error:
            if limit.expired():
                raise DeadlineExceededError from error
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Looked at here because the waiter may be gone; one that is still there gets the same exception.
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, DomainError):
            log.error("phase failed", phase=task.get_name(), type=type(error).__qualname__)
