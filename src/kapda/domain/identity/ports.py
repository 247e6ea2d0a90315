"""What accounts need from outside, and one transaction over all of identity."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from kapda.domain.identity.key_ports import ApiKeys, SigningKeys
from kapda.domain.identity.log_in_ports import LogIns
from kapda.domain.identity.session_ports import RefreshTokens, Sessions
from kapda.domain.identity.throttle_ports import LogInUnitOfWork
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.shared.audit import Audit
from kapda.domain.shared.ids import DesignerId, UserId
from kapda.domain.shared.request_proof import Nonces


class Users(Protocol):
    """Accounts, inside a unit of work."""

    async def add(self, user: User) -> None:
        """Keep a new account. Raises AlreadyExistsError (EMAIL_TAKEN) when the address has one, in any spelling."""
        ...

    async def find(self, user_id: UserId) -> User | None:
        """The account, or None."""
        ...

    async def find_all(self, user_ids: Collection[UserId]) -> Collection[User]:
        """Those of the accounts that there are, many at the cost of one."""
        ...

    async def find_by_email(self, email: EmailAddress) -> User | None:
        """The account of the address in any spelling of it, or None."""
        ...

    async def lock(self, user_id: UserId) -> User | None:
        """The account as it is now, or None; nobody else changes it before this transaction ends."""
        ...

    async def save(self, user: User) -> None:
        """Keep the changes of an account that was locked in this transaction."""
        ...

    async def lock_active_admins(self) -> Collection[UserId]:
        """Every active admin as of now; none of them changes before this transaction ends.

        Call it before any account is locked: it takes its locks in one order.
        """
        ...


class DesignerMembership(Protocol):
    """Which houses a user acts for, inside a unit of work."""

    async def designers_of(self, user_id: UserId) -> tuple[DesignerId, ...]:
        """The designers the user is a member of, in a fixed order; none for most users."""
        ...

    async def add(self, designer_id: DesignerId, user_id: UserId, at: datetime) -> bool:
        """Make the user a member, if they are none yet; False where there is no such house."""
        ...

    async def remove(self, designer_id: DesignerId, user_id: UserId) -> bool:
        """Make the user no member any more; whether they were one."""
        ...

    async def remove_all(self, user_id: UserId) -> int:
        """Make the user no member of any house any more; of how many they were one."""
        ...


class IdentityUnitOfWork(LogInUnitOfWork, Protocol):
    """One transaction over accounts and sessions."""

    @property
    def users(self) -> Users:
        """The accounts."""
        ...

    @property
    def sessions(self) -> Sessions:
        """The sessions."""
        ...

    @property
    def refresh_tokens(self) -> RefreshTokens:
        """The sessions' refresh tokens."""
        ...

    @property
    def log_ins(self) -> LogIns:
        """Log-ins that succeeded."""
        ...

    @property
    def designer_members(self) -> DesignerMembership:
        """Who acts for which designer."""
        ...

    @property
    def api_keys(self) -> ApiKeys:
        """The keys of services."""
        ...

    @property
    def signing_keys(self) -> SigningKeys:
        """Who may sign requests."""
        ...

    @property
    def nonces(self) -> Nonces:
        """What was signed and took effect."""
        ...

    @property
    def audit(self) -> Audit:
        """What was done to accounts and keys."""
        ...
