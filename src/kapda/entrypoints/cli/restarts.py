"""When a process that ended by itself is started again, and when that is no use any more."""

from dataclasses import dataclass
from typing import Final

# One that has lived so long was well: what ended it was no fault in starting, and it is started again at once.
WELL_SECONDS: Final = 30.0
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
# With the pauses between them these take some fifteen seconds: a database that restarts is through by then, and a
# broken release is not served for longer than anybody needs to notice.
MAX_SHORT_LIVES: Final = 6


@dataclass(slots=True)
class Restarts:
    """The back-off of one process: doubling pauses after lives that were short, none after a life that was well."""

    short_lives: int = 0

    def pause_after(self, seconds: float) -> float | None:
        """How long to wait after a life of so many seconds; None when it is not to be started again."""
        if seconds >= WELL_SECONDS:
            self.short_lives = 0
            return 0.0
        self.short_lives += 1
        if self.short_lives >= MAX_SHORT_LIVES:
            return None
        return float(min(FIRST_PAUSE_SECONDS * 2 ** (self.short_lives - 1), LONGEST_PAUSE_SECONDS))
