"""When somebody may try a password: the attempts of late decide.

Two rules, both counted before the password is looked at. Five failures of one network at one identifier within a
quarter of an hour lock that network out of it for a quarter of an hour. Twenty-five failures at one identifier within
an hour, from anywhere, close it to every network that never got in, until an hour has passed or a mailed link was
opened there: a stranger who guesses from many places is stopped, and the owner at home is not.

An attempt that is under way counts as much as a failure until it has ended well, so that guesses in parallel cannot
slip by; but it locks nobody out: whoever comes too early because of it waits a second.

An identifier is a keyed digest of what was typed, with or without an account behind it: nothing here knows which.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, unique
from uuid import UUID

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.shared.errors import Reason, ResourceExhaustedError

FAILURES_TO_LOCK = 5
LOCK_WINDOW = timedelta(minutes=15)
LOCKED_FOR = timedelta(minutes=15)

FAILURES_TO_CLOSE = 25
CLOSE_WINDOW = timedelta(hours=1)
CLOSED_FOR = timedelta(hours=1)

# An attempt that nobody has heard the end of for so long, twice what a call may take, is a failure: its caller may have
# gone away just to leave no trace.
UNDER_WAY_FOR = timedelta(seconds=30)
# What is older than this decides nothing any more.
MEMORY = CLOSE_WINDOW + CLOSED_FOR
# How long to wait for attempts under way.
MOMENT = timedelta(seconds=1)


@unique
class Outcome(Enum):
    """How an attempt ended, as far as is known."""

    UNDER_WAY = "under_way"
    FAILED = "failed"
    # Its network's attempts before it count no longer.
    SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a password at an identifier, from a network."""

    id: UUID
    identifier: str
    network: ClientNetwork


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt at the identifier in question, so long ago, that counts: no success, and none of its network after it."""

    id: UUID
    network: ClientNetwork
    age: timedelta
    outcome: Outcome


@unique
class Gate(Enum):
    """Whether an attempt may be made."""

    OPEN = "open"
    LOCKED = "locked"
    LINK_NEEDED = "link_needed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an attempt may be made, and if not, in what time from now."""

    gate: Gate
    wait: timedelta = timedelta()


OPEN = Verdict(Gate.OPEN)


def judge(past: Sequence[PastAttempt], network: ClientNetwork, *, network_is_known: bool) -> Verdict:
    """Whether `network` may make another attempt after these, all of one identifier, the oldest first."""
    own = [attempt for attempt in past if attempt.network == network]
    locked = _left(own, FAILURES_TO_LOCK, LOCK_WINDOW, LOCKED_FOR)
    if locked is not None:
        return Verdict(Gate.LOCKED, locked)
    if _recent(own, LOCK_WINDOW) >= FAILURES_TO_LOCK:
        return Verdict(Gate.LOCKED, MOMENT)
    if network_is_known:
        return OPEN
    closed = _left(past, FAILURES_TO_CLOSE, CLOSE_WINDOW, CLOSED_FOR)
    if closed is not None:
        return Verdict(Gate.LINK_NEEDED, closed)
    return Verdict(Gate.LOCKED, MOMENT) if _recent(past, CLOSE_WINDOW) >= FAILURES_TO_CLOSE else OPEN


def refusal(verdict: Verdict) -> ResourceExhaustedError:
    """What a caller is told who may not try now; it is the same whether or not there is such an account."""
    seconds = max(1, round(verdict.wait.total_seconds()))
    if verdict.gate is Gate.LINK_NEEDED:
        return ResourceExhaustedError(
            Reason.LOG_IN_LINK_NEEDED,
            "too many wrong passwords from many places; ask for a link by mail, or wait",
            metadata={"retry_after_seconds": str(seconds)},
            retry_after=seconds,
        )
    return ResourceExhaustedError(
        Reason.LOG_IN_LOCKED,
        f"too many wrong passwords; try again in {seconds} s",
        metadata={"retry_after_seconds": str(seconds)},
        retry_after=seconds,
    )


def _left(attempts: Sequence[PastAttempt], limit: int, window: timedelta, shut_for: timedelta) -> timedelta | None:
    """How long the gate stays shut after the last time that `limit` failures came within `window`; None if it is open.

    Every such time counts, not only that of the latest failures: one more must not open a gate.
    """
    ages = [attempt.age for attempt in attempts if _has_failed(attempt)]
    runs = zip(ages, ages[limit - 1 :], strict=False)
    shut_since = [last for first, last in runs if first - last <= window and last < shut_for]
    return shut_for - shut_since[-1] if shut_since else None


def _recent(attempts: Iterable[PastAttempt], window: timedelta) -> int:
    """How many of them may turn out to be failures within the window, those under way among them."""
    return sum(attempt.age < window for attempt in attempts)


def _has_failed(attempt: PastAttempt) -> bool:
    return attempt.outcome is Outcome.FAILED or attempt.age >= UNDER_WAY_FOR
