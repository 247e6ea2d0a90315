"""The emulator's time, which can be moved forward, and what is due when.

Everything that waits inside the emulator waits here: retries of webhooks, late answers of banks, refunds on their way. So a
day passes in a moment, with everything that belongs into it, one thing after the other in the order of its time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from itertools import count

from kapda.emulator.clock import Clock

Action = Callable[[], object]


class Timeline:
    """A clock plus what was skipped. Actions are plain calls in the event loop; they may plan further ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._skipped = 0.0
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._advancing = asyncio.Lock()

    def now(self) -> float:
        """Returns Unix seconds."""
        return self._clock.now() + self._skipped

    def at(self, when: float, action: Action) -> None:
        """Calls `action` when that time has come; at once when it has come already. Needs a running event loop."""
        if when <= self.now():
            action()
            return
        heappush(self._due, (when, next(self._numbers), action))
        self._arm()

    def after(self, seconds: float, action: Action) -> None:
        """Calls `action` after so many seconds of this timeline."""
        self.at(self.now() + seconds, action)

    async def advance(self, seconds: float, quiet: Callable[[], Awaitable[None]]) -> None:
        """Moves the time forward, stopping at everything that falls due on the way.

        After each stop it waits for `quiet`, so that what was set off there has its consequences at that time and not
        at the end: a retry that fails plans the next one from its own instant.
        """
        async with self._advancing:
            target = self.now() + seconds
            await quiet()
            while self._due and self._due[0][0] <= target:
                self._move_to(self._due[0][0])
                self._fire()
                await quiet()
            self._move_to(target)
            self._arm()

    def close(self) -> None:
        """Forgets what was planned."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _move_to(self, instant: float) -> None:
        self._skipped += max(0.0, instant - self.now())

    def _fire(self) -> None:
        now = self.now()
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2]()

    def _wake(self) -> None:
        # While the time is being moved, whoever moves it fires what is due, in its order.
        if not self._advancing.locked():
            self._fire()
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait = max(0.0, self._due[0][0] - self.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self._wake)
