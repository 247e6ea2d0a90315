"""How many calls may be at work: as many as the machine answers in time, found out as it goes.

A fixed number is wrong on every machine but one. What tells the right one is how long somebody stands in line, first to be
heard at all, then for a connection; `queue_probe.py` stands there ten times a second. While nobody waits for long, the limit
grows as far as it is used; when a long line stays, it shrinks. So the line stays short, whoever is let in is answered soon,
and whoever is not is told so at once and has cost next to nothing. A wait for the payment gateway is no line of ours and
shrinks nothing.

A line that grows and goes away again turns nobody away: a crowd that comes at once, a cold start or a bad moment of the
machine leaves one, and it is worked off. Only one that has been too long at every look for a second is standing: more come
than can be served, and waiting gains nobody anything (the idea is CoDel's, of routers).

A flood leaves in that second a line of several. So beyond a crowd of a hundred, whoever would wait for too long at the pace
of the last moments is turned away on arrival.

Each pool of connections has a lane of its own, because each has its own line: a flood of searches finds the lane of
browsing full, and keeps nobody from a cart. What they share, the processor, shows in every line.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.entrypoints.queue_probe import INTERVAL_SECONDS

# What a call may wait in all its lines together, if it has one line of connections to stand in.
TARGET_SECONDS: Final = 0.4
# So long must a line be too long before anybody is turned away for it.
STANDING_SECONDS: Final = 1.0
# Below that share of the target the line is short, and some calls more do no harm.
SHORT: Final = 0.5
# Of one look: a single bad moment of the machine must not empty the shop.
MOST_SHRINK: Final = 0.5
# From the fewest back to a hundred within three seconds, at ten looks a second.
GROW: Final = 1.1
# The same while there is a line, though not too long a one: slowly enough for the line to show what it does.
RECOVER: Final = 1.03
# Two for each of the few connections that take stock: one at work, one next. So a line that is as short as it gets still
# keeps the database busy.
FEWEST: Final = 8
# A crowd that comes at once, such as for a sale, is let in and served in turn; only a line that lasts turns people away.
# Three quarters, which is what new promises may fill, are a hundred shoppers and a few.
FIRST: Final = 140
RETRY_AFTER_SECONDS: Final = 1.0
# So many calls in all lanes together are let in however slow the machine is: each shopper has one, and a hundred of them
# wait for a server that has just begun.
CROWD: Final = 100
# Beyond a crowd, who would wait longer than that is turned away: the pace falls while the line grows, so nearly all answers
# take a second at the most.
LONGEST_SECONDS: Final = 0.6
# Who stands in line so long has found every connection at work, so what is served meanwhile is what can be.
BUSY_SECONDS: Final = 0.1
# After that the pace of before counts half.
PACE_SECONDS: Final = 2.0


@dataclass(slots=True)
class AdaptiveLimit:
    """A number between `fewest` and `most` that follows the length of a line, which may be `target` seconds. It reads no
    clock: it moves when told."""

    most: int
    target: float = TARGET_SECONDS
    fewest: int = FEWEST
    first: int = FIRST
    _limit: float = field(init=False)
    _too_long_since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.fewest = min(self.fewest, self.most)
        self.first = min(max(self.first, self.fewest), self.most)
        self._limit = float(self.first)

    @property
    def value(self) -> int:
        """How many may be at work now."""
        return int(self._limit)

    def waited(self, seconds: float, now: float, *, used: bool) -> None:
        """At `now` a line is so long; `used` when since the last time the limit was reached or turned somebody away."""
        if seconds > self.target:
            if self._too_long_since is None:
                self._too_long_since = now
            if now - self._too_long_since >= STANDING_SECONDS:
                # The line is as long as the limit lets it be: smaller by as much as the wait is too long, it is right.
                self._limit = max(self._limit * max(self.target / seconds, MOST_SHRINK), self.fewest)
            return
        self._too_long_since = None
        short = seconds < SHORT * self.target
        if self._limit < self.first:
            # Back to the first, by and by where people stand in line as it is: what shrank the limit may be over.
            if short or used:
                self._limit = min(self._more(GROW if short else RECOVER), self.first)
        elif short:
            # Beyond the first only as far as it is used, and back again: quiet hours must not let any crowd in.
            self._limit = min(self._more(GROW), self.most) if used else max(self._limit / GROW, self.first)

    def _more(self, factor: float) -> float:
        return max(self._limit * factor, self._limit + 1)


@dataclass(slots=True)
class AtWork:
    """How many calls are at work, in all lanes that share it."""

    calls: int = 0


class Pace:
    """How many calls a second are served while there is a line. It reads no clock."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._served = 0.0

    def line(self, seconds: float, now: float) -> None:
        """Somebody has found a line so long. Where there was none, what was served until now says nothing of what can be."""
        if seconds < BUSY_SECONDS:
            self._since, self._served = now, 0.0

    def served(self) -> None:
        """A call has ended."""
        self._served += 1

    def seconds_for(self, calls: int, now: float) -> float:
        """How long so many take; 0 while there is no line, and where nobody has looked yet.

        Who looks tells of it afterwards only: there is a line, too, as soon as that is overdue.
        """
        if self._since is None or now - self._since < INTERVAL_SECONDS + BUSY_SECONDS:
            return 0.0
        if now - self._since > PACE_SECONDS:
            self._since, self._served = (self._since + now) / 2, self._served / 2
        return calls * (now - self._since) / max(self._served, 1.0)


class Lane:
    """The calls that stand in the same lines, at work or refused."""

    def __init__(
        self,
        name: str,
        most: int,
        target: float = TARGET_SECONDS,
        now: Callable[[], float] = time.monotonic,
        at_work: AtWork | None = None,
    ) -> None:
        """`target` is how many seconds a call may wait in all its lines together; `at_work` counts all lanes' calls."""
        self.name = name
        self._limit = AdaptiveLimit(most, target)
        self._pace = Pace()
        self._now = now
        self._elsewhere: dict[str, float] = {}
        self._at_work = 0
        self._of_all = at_work or AtWork()
        self._used = False

    @property
    def limit(self) -> int:
        """How many may be at work now."""
        return self._limit.value

    def waited(self, seconds: float) -> None:
        """Somebody stood so long in the line that only this lane's calls stand in; the limit moves."""
        now, line = self._now(), seconds + sum(self._elsewhere.values())
        self._limit.waited(line, now, used=self._used)
        self._pace.line(line, now)
        self._used = self._at_work >= self._limit.value

    def waited_elsewhere(self, line: str, seconds: float) -> None:
        """Somebody stood so long in a line that others stand in too; it counts at the next look at this lane's own."""
        self._elsewhere[line] = seconds

    @contextmanager
    def place(self, share: float = 1.0) -> Iterator[None]:
        """A place inside the block, of the first `share` of them. Raises UnavailableError (OVERLOADED) at once."""
        full = self._at_work >= max(1, int(self._limit.value * share)) or self._too_late(share)
        self._used = self._used or full or self._at_work + 1 >= self._limit.value
        if full:
            raise UnavailableError(Reason.OVERLOADED, "too many calls at the moment", retry_after=RETRY_AFTER_SECONDS)
        self._at_work += 1
        self._of_all.calls += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._of_all.calls -= 1
            self._pace.served()

    def _too_late(self, share: float) -> bool:
        """Whether who comes now would be answered too late; for those who may fill a share only, so much sooner."""
        if self._of_all.calls < CROWD:
            return False
        return self._pace.seconds_for(self._at_work, self._now()) > share * LONGEST_SECONDS
