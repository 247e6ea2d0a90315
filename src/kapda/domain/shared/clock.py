"""Time as a port: the domain never asks the machine."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC, to the microsecond."""
        ...
