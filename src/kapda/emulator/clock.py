"""Time as the emulator sees it; tests bring their own."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> float:
        """Returns Unix seconds; it never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns once that many seconds of this clock have passed."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
