"""How many calls may be at work: as many as the machine serves without a queue, found out as it goes.

A fixed number is wrong on every machine but one. What tells the right one is how long somebody stands in line, first to be
heard at all, then for a connection; `queue_probe.py` stands there ten times a second. While nobody waits for long, the limit
grows as far as it is used; when they keep waiting, it shrinks. So the line stays short, whoever is let in is answered soon,
and whoever is not is told so at once and has cost next to nothing. A wait for the payment gateway is no line of ours and
shrinks nothing.

Each pool of connections has a lane of its own, because each has its own line: a flood of searches finds the lane of
browsing full, and keeps nobody from a cart. What they share, the processor, shows in every line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from kapda.domain.shared.errors import Reason, UnavailableError

# A call stands in the long line once, in a short one before or after, and works in between: with this it is through within
# a second. Shorter would turn away a hundred shoppers whom the machine can serve in the time they allow.
TARGET_SECONDS: Final = 0.4
# Below half of that the line is short, and one call more does no harm.
SHORT_SECONDS: Final = TARGET_SECONDS / 2
# Of one look: a single bad moment of the machine must not empty the shop.
MOST_SHRINK: Final = 0.5
# From the fewest back to a hundred within three seconds, at ten looks a second.
GROW: Final = 1.1
# Two for each of the few connections that take stock: one at work, one next. So a line that is as short as it gets still
# keeps the database busy.
FEWEST: Final = 8
# A crowd that comes at once, such as for a sale, is let in and served in turn; only a line that lasts turns people away.
FIRST: Final = 160
RETRY_AFTER_SECONDS: Final = 1.0


@dataclass(slots=True)
class AdaptiveLimit:
    """A number between `fewest` and `most` that follows the length of a line. It reads no clock: it moves when told."""

    most: int
    fewest: int = FEWEST
    first: int = FIRST
    _limit: float = field(init=False)

    def __post_init__(self) -> None:
        self.fewest = min(self.fewest, self.most)
        self.first = min(max(self.first, self.fewest), self.most)
        self._limit = float(self.first)

    @property
    def value(self) -> int:
        """How many may be at work now."""
        return int(self._limit)

    def waited(self, seconds: float, busiest: int) -> None:
        """Somebody stood in line for so long; `busiest` is the most that were at work since the last time."""
        if seconds > TARGET_SECONDS:
            # The line is as long as the limit lets it be: smaller by as much as the wait is too long, it is right.
            self._limit = max(self._limit * max(TARGET_SECONDS / seconds, MOST_SHRINK), self.fewest)
        elif seconds < SHORT_SECONDS:
            # Beyond the first only as far as it is used, and back again: quiet hours must not let any crowd in.
            if busiest >= self.value:
                self._limit = min(self._more(), self.most)
            elif self._limit < self.first:
                self._limit = min(self._more(), self.first)
            else:
                self._limit = max(self._limit / GROW, self.first)

    def _more(self) -> float:
        return max(self._limit * GROW, self._limit + 1)


class Lane:
    """The calls that stand in one line, at work or refused."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self._limit = AdaptiveLimit(most)
        self._at_work = 0
        self._busiest = 0

    @property
    def limit(self) -> int:
        """How many may be at work now."""
        return self._limit.value

    def waited(self, seconds: float) -> None:
        """Somebody stood in this lane's line for so long."""
        self._limit.waited(seconds, self._busiest)
        self._busiest = self._at_work

    @contextmanager
    def place(self, share: float = 1.0) -> Iterator[None]:
        """A place inside the block, of the first `share` of them. Raises UnavailableError (OVERLOADED) at once."""
        # Whoever is turned away shows as well that the limit is used.
        self._busiest = max(self._busiest, self._at_work + 1)
        if self._at_work >= max(1, int(self._limit.value * share)):
            raise UnavailableError(Reason.OVERLOADED, "too many calls at the moment", retry_after=RETRY_AFTER_SECONDS)
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
