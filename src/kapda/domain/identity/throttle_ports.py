"""What the throttle of log-ins needs from outside."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Attempt, Outcome, PastAttempt, Verdict
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.unit_of_work import UnitOfWork


class IdentifierDigests(Protocol):
    """Names for what people type as their address, which do not tell it to anybody without the key."""

    def of(self, identifier: str) -> str:
        """The digest of any text; the same for all spellings that are one address."""
        ...


class LogInAttempts(Protocol):
    """The attempts at log-ins, inside a unit of work: what is true of them. Times are the database's."""

    async def lock(self, identifier: str) -> None:
        """Wait until nobody else judges attempts at the identifier by these rows, until this transaction ends."""
        ...

    async def recent(self, identifier: str) -> Sequence[PastAttempt]:
        """The attempts at the identifier within MEMORY that count, the oldest first."""
        ...

    async def record(self, attempt: Attempt, outcome: Outcome) -> None:
        """Keep the attempt as of now, or, if it is kept already, how it ended."""
        ...

    async def clear(self, identifier: str) -> int:
        """Keep no attempt at the identifier any longer that counts, whoever made it; how many there were."""
        ...

    async def withdraw(self, attempt: Attempt) -> None:
        """Keep it no longer, if it is kept: its password was never looked at, by no fault of the caller's."""
        ...


class KnownNetworks(Protocol):
    """From where users got in, inside a unit of work."""

    async def add(self, user_id: UserId, network: ClientNetwork, at: datetime) -> None:
        """Know the network from now on, or anew."""
        ...

    async def knows(self, email: EmailAddress, network: ClientNetwork) -> bool:
        """Whether the address's user got in from there. Nobody did with an address that has no account; asking takes the
        same for both."""
        ...


class LogInUnitOfWork(UnitOfWork, Protocol):
    """One transaction over attempts and known networks."""

    @property
    def log_in_attempts(self) -> LogInAttempts:
        """The attempts."""
        ...

    @property
    def known_networks(self) -> KnownNetworks:
        """From where users got in."""
        ...


class LogInCounters(Protocol):
    """A fast copy of the attempts of late: may be lost at any time, and never lets in what the rows would not.

    None of these raises for a store that is down.
    """

    async def begin(
        self, attempt: Attempt, past: Callable[[], Awaitable[Sequence[PastAttempt]]], *, network_is_known: bool
    ) -> Verdict | None:
        """What `judge` says to another attempt, which if the gate is open is counted as under way from now on: both in one
        step, whoever else tries. None when the store cannot be reached.

        `past` reads the rows; it is called only where the store has nothing, or not everything, of the identifier. One
        round trip otherwise.
        """
        ...

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Count the attempt as what it came to. Call it after the row was committed."""
        ...

    async def withdraw(self, attempt: Attempt) -> None:
        """Count it no longer."""
        ...

    async def forget(self, identifier: str) -> None:
        """Read the rows before anything is decided about the identifier again. Call it after they were changed and that was
        committed."""
        ...
