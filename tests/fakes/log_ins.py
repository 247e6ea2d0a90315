"""In-memory stand-ins for what the throttle of log-ins needs, held to the real ones by the contract suites."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import MEMORY, OPEN, Attempt, Gate, Outcome, PastAttempt, Verdict, judge
from kapda.domain.identity.throttle_ports import LogInUnitOfWork
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, UserId


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as it is kept."""

    attempt: Attempt
    outcome: Outcome
    at: datetime


@dataclass
class InMemoryLogInAttempts:
    """LogInAttempts of an open unit of work."""

    rows: dict[UUID, AttemptRow]
    clock: Clock

    async def lock(self, identifier: str) -> None:
        """Nobody else is at it: units of work here run one after another."""

    async def recent(self, identifier: str) -> Sequence[PastAttempt]:
        now, past = self.clock.now(), list[PastAttempt]()
        for row in self.rows.values():
            if row.attempt.identifier != identifier or now - row.at >= MEMORY:
                continue
            if row.outcome is Outcome.SUCCEEDED:
                past = [earlier for earlier in past if earlier.network != row.attempt.network]
            else:
                past.append(PastAttempt(row.attempt.id, row.attempt.network, now - row.at, row.outcome))
        return past

    async def record(self, attempt: Attempt, outcome: Outcome) -> None:
        kept = self.rows.get(attempt.id)
        self.rows[attempt.id] = AttemptRow(attempt, outcome, kept.at if kept else self.clock.now())

    async def clear(self, identifier: str) -> int:
        counting = [
            row.attempt.id
            for row in self.rows.values()
            if row.attempt.identifier == identifier and row.outcome is not Outcome.SUCCEEDED
        ]
        for attempt_id in counting:
            del self.rows[attempt_id]
        return len(counting)

    async def withdraw(self, attempt: Attempt) -> None:
        self.rows.pop(attempt.id, None)


@dataclass
class InMemoryKnownNetworks:
    """KnownNetworks of an open unit of work."""

    rows: dict[tuple[UserId, ClientNetwork], datetime]
    users: Mapping[UserId, User]

    async def add(self, user_id: UserId, network: ClientNetwork, at: datetime) -> None:
        self.rows[user_id, network] = at

    async def knows(self, email: EmailAddress, network: ClientNetwork) -> bool:
        return any((user.id, network) in self.rows for user in self.users.values() if user.email.key == email.key)


class ReadableDigests:
    """IdentifierDigests that anybody can read."""

    def of(self, identifier: str) -> str:
        return f"digest of {identifier.strip().lower()}"


@dataclass
class InMemoryLogInCounters:
    """LogInCounters that can be lost and cannot be reached, at a test's wish."""

    clock: Clock
    reachable: bool = True
    sets: dict[str, dict[UUID, AttemptRow]] = field(default_factory=dict)

    def lose_everything(self) -> None:
        self.sets.clear()

    async def begin(
        self, attempt: Attempt, past: Callable[[], Awaitable[Sequence[PastAttempt]]], *, network_is_known: bool
    ) -> Verdict | None:
        if not self.reachable:
            self.sets.pop(attempt.identifier, None)
            return None
        if attempt.identifier not in self.sets:
            self.sets[attempt.identifier] = {
                row.id: AttemptRow(self._of(row, attempt.identifier), row.outcome, self.clock.now() - row.age)
                for row in await past()
            }
        rows = self.sets[attempt.identifier]
        ages = sorted(rows.values(), key=lambda row: row.at)
        counted = [
            PastAttempt(row.attempt.id, row.attempt.network, self.clock.now() - row.at, row.outcome) for row in ages
        ]
        verdict = judge(counted, attempt.network, network_is_known=network_is_known)
        if verdict.gate is Gate.OPEN:
            rows[attempt.id] = AttemptRow(attempt, Outcome.UNDER_WAY, self.clock.now())
        return verdict

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        if not self.reachable:
            self.sets.pop(attempt.identifier, None)
            return
        rows = self.sets.get(attempt.identifier)
        if rows is None:
            return
        kept = rows.pop(attempt.id, None)
        at = kept.at if kept else self.clock.now()
        if outcome is Outcome.FAILED:
            rows[attempt.id] = AttemptRow(attempt, outcome, at)
            return
        for row in [row for row in rows.values() if row.attempt.network == attempt.network and row.at <= at]:
            del rows[row.attempt.id]

    async def withdraw(self, attempt: Attempt) -> None:
        if not self.reachable:
            self.sets.pop(attempt.identifier, None)
        self.sets.get(attempt.identifier, {}).pop(attempt.id, None)

    async def forget(self, identifier: str) -> None:
        self.sets.pop(identifier, None)

    def _of(self, row: PastAttempt, identifier: str) -> Attempt:
        return Attempt(row.id, identifier, row.network)


class OpenCounters:
    """LogInCounters that let everybody in, for tests that are not about the throttle."""

    async def begin(
        self, _attempt: Attempt, _past: Callable[[], Awaitable[Sequence[PastAttempt]]], *, network_is_known: bool
    ) -> Verdict:
        return OPEN

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None: ...

    async def withdraw(self, attempt: Attempt) -> None: ...

    async def forget(self, identifier: str) -> None: ...


def open_guard(unit_of_work: Callable[[], LogInUnitOfWork], ids: IdGenerator, clock: Clock) -> LogInGuard:
    """A guard that lets everybody in."""
    return LogInGuard(unit_of_work, unit_of_work, OpenCounters(), AttemptsUnderWay(), ReadableDigests(), ids, clock)
