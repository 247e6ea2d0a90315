"""What one process knows of the attempts that it let through, whatever became of the counters meanwhile."""

from asyncio import Lock
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from weakref import WeakValueDictionary

from kapda.domain.identity.log_in_attempts import LOCK_WINDOW, Attempt, Outcome, PastAttempt


class AttemptsUnderWay:
    """One a process. Counters that were flushed, or that answered some callers and not others, forget who is under way:
    this does not. Whoever went away without a word is remembered as long as a failure locks."""

    def __init__(self) -> None:
        self._begun: OrderedDict[UUID, tuple[Attempt, datetime]] = OrderedDict()
        self._of: dict[str, set[UUID]] = {}
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def one_at_a_time(self, identifier: str) -> Lock:
        """What to hold while an attempt at the identifier is judged, until it is added."""
        lock = self._locks.get(identifier)
        if lock is None:
            lock = self._locks[identifier] = Lock()
        return lock

    def add(self, attempt: Attempt, at: datetime) -> None:
        """The attempt was let through."""
        while self._begun and at - next(iter(self._begun.values()))[1] > LOCK_WINDOW:
            self.remove(next(iter(self._begun.values()))[0])
        self._begun[attempt.id] = attempt, at
        self._of.setdefault(attempt.identifier, set()).add(attempt.id)

    def remove(self, attempt: Attempt) -> None:
        """Its end is in the rows."""
        if self._begun.pop(attempt.id, None) is not None:
            ids = self._of[attempt.identifier]
            ids.remove(attempt.id)
            if not ids:
                del self._of[attempt.identifier]

    def beside(self, rows: Sequence[PastAttempt], identifier: str, now: datetime) -> list[PastAttempt]:
        """The rows, and what this process knows of besides, the oldest first."""
        unkept = self._of.get(identifier, set()) - {row.id for row in rows}
        begun = [self._begun[attempt_id] for attempt_id in unkept]
        own = [PastAttempt(attempt.id, attempt.network, now - at, Outcome.UNDER_WAY) for attempt, at in begun]
        return sorted([*rows, *own], key=lambda past: past.age, reverse=True)
