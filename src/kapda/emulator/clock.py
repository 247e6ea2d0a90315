"""Where the emulator's time comes from; `Timeline` moves it forward."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> float:
        """Returns Unix seconds; it never goes back."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()


class StillClock:
    """Always the same instant: time passes only where the timeline is told to advance."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at
