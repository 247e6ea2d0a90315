"""What identity needs from outside."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique
from typing import Protocol

from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.password import Password
from kapda.domain.identity.refresh import RefreshToken
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.signing import SigningKey
from kapda.domain.identity.throttle_ports import LogInUnitOfWork
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.shared.audit import Audit
from kapda.domain.shared.ids import ApiKeyId, DesignerId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest
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


class Sessions(Protocol):
    """Sessions, inside a unit of work."""

    async def add(self, session: Session) -> None:
        """Keep a new session."""
        ...

    async def lock(self, session_id: SessionId) -> Session | None:
        """The session as it is now, or None; nobody else changes it before this transaction ends."""
        ...

    async def lock_by_refresh_token(self, digest: bytes) -> Session | None:
        """The session that a refresh token was given out for, locked like that, or None for an unknown token."""
        ...

    async def save(self, session: Session) -> None:
        """Keep the changes of a session that was locked in this transaction."""
        ...

    async def list_living(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        """The user's sessions that are active at that instant, the latest log-in first. The cursor is (id,)."""
        ...

    async def end_all(
        self, user_id: UserId, at: datetime, except_session: SessionId | None = None
    ) -> Collection[SessionId]:
        """End every session of the user, or every other one, and say whom `RevokedTokens.revoke` is to be told of.

        Those are the sessions ended now and those that were ended within REVOCATION_MEMORY: an earlier caller may have
        gone before telling. Call it under the user's lock where no log-in at the same moment may slip through, and
        tell after the commit, before answering: `await revoked_tokens.revoke(ids)`.
        """
        ...

    async def ended_lately(self, user_id: UserId, at: datetime) -> Collection[SessionId]:
        """The user's sessions that ended within REVOCATION_MEMORY: whom a replay is to tell of again, because the first
        call may have been cut off between its commit and `RevokedTokens.revoke`."""
        ...


class RefreshTokens(Protocol):
    """Refresh tokens, inside a unit of work. Whoever holds their session's lock sees them as they are now."""

    async def add(self, token: RefreshToken) -> None:
        """Keep a new token."""
        ...

    async def find(self, digest: bytes) -> RefreshToken | None:
        """The token, or None."""
        ...

    async def issued_since(self, session_id: SessionId, since: datetime) -> int:
        """How many tokens of the session were given out after that instant, the first one at log-in among them."""
        ...

    async def save(self, token: RefreshToken) -> None:
        """Keep the use of a token whose session was locked in this transaction."""
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


class ApiKeys(Protocol):
    """API keys, inside a unit of work."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def find_by_prefix(self, prefix: str) -> ApiKey | None:
        """The key that its text names, be it over or not; None where there is none, or its service is not active."""
        ...

    async def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        """The key as it is now, or None; nobody else changes it before this transaction ends."""
        ...

    async def save(self, key: ApiKey) -> None:
        """Keep the changes of a key that was locked in this transaction. The last use is not one of them."""
        ...

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """All keys, the newest first. The cursor is (key id,)."""
        ...


class SigningKeys(Protocol):
    """Signing keys, inside a unit of work."""

    async def add(self, key: SigningKey) -> None:
        """Keep a new key."""
        ...

    async def find(self, key_id: SigningKeyId) -> SigningKey | None:
        """The key, be it over or not, or None."""
        ...

    async def lock(self, key_id: SigningKeyId) -> SigningKey | None:
        """The key as it is now, or None; nobody else changes it before this transaction ends. Waits for the operations that
        are spending what it signed."""
        ...

    async def save(self, key: SigningKey) -> None:
        """Keep the changes of a key that was locked in this transaction."""
        ...

    async def revoke_all(self, user_id: UserId, at: datetime) -> int:
        """End the user's keys, as `SigningKey.revoke` does; how many there were. Waits for the operations that are spending
        what they signed. Call it with the user's row locked."""
        ...

    async def has_any(self, user_id: UserId) -> bool:
        """Whether the user has, or ever had, a key."""
        ...

    async def list(self, page: PageRequest) -> Page[SigningKey]:
        """All keys, the newest first. The cursor is (key id,)."""
        ...


class KeyUses(Protocol):
    """When API keys were last used, give or take USE_NOTED_EVERY."""

    def note(self, key_id: ApiKeyId, at: datetime) -> None:
        """Have the use written down some time soon. Returns at once and never fails; a note may be lost."""
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


class SessionReader(Protocol):
    """Session rows as committed, read outside any unit of work: what decides when the revoked tokens cannot be asked.

    Both raise UnavailableError (DATABASE_UNAVAILABLE) when the rows cannot be read.
    """

    async def find(self, session_id: SessionId) -> Session | None:
        """The session, or None."""
        ...

    async def revoked_since(self, at: datetime) -> Collection[SessionId]:
        """Every session revoked at or after that instant by a transaction that had committed when this was called."""
        ...


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password was right, and whether its hash should be made anew with today's parameters."""

    is_right: bool
    needs_rehash: bool = False


class PasswordHasher(Protocol):
    """A slow, salted hash, worked out beside the event loop.

    Both raise UnavailableError (OVERLOADED) at once when too many callers wait already.
    """

    async def hash(self, password: Password) -> str:
        """A new hash, with its salt and parameters in it."""
        ...

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        """Whether the hash is of this password. A hash of an unknown format is never right.

        For None, which stands for an account that does not exist, the same work is done and the answer is no. A hash of
        a time when hashes cost less takes as much as one of today's.
        """
        ...


class PasswordStrength(Protocol):
    """Knows what people choose."""

    async def is_common(self, password: Password, about_user: tuple[str, ...]) -> bool:
        """Whether guessing finds it soon, by lists and patterns or from the texts about the user (address, name).

        Raises UnavailableError (OVERLOADED) at once when too many callers wait already.
        """
        ...


class AccessTokens(Protocol):
    """Signed tokens: anybody can read one, nobody else can make one."""

    def issue(self, claims: AccessClaims) -> str:
        """The claims as a signed token. Instants are kept to the second."""
        ...

    def verify(self, token: str) -> AccessClaims:
        """What a token of ours says, if it is valid now.

        Raises UnauthenticatedError: TOKEN_EXPIRED for one whose time is over, TOKEN_INVALID for anything else. Says
        nothing of the session: ask for that next.
        """
        ...


@unique
class Revocation(Enum):
    """What the revoked tokens know of a session."""

    REVOKED = "revoked"
    NOT_REVOKED = "not_revoked"
    # It cannot be reached, or has lost something: only the session's row can tell.
    UNKNOWN = "unknown"


class RevokedTokens(Protocol):
    """A fast copy of which sessions were revoked of late: may be lost at any time, never says NOT_REVOKED wrongly.

    Sessions, not single tokens: logging out ends all tokens of a session.
    """

    async def check(self, session_id: SessionId) -> Revocation:
        """One round trip at most; never raises for a store that is down."""
        ...

    async def revoke(self, session_ids: Collection[SessionId]) -> None:
        """Call it after the revocation of the rows has committed. Many cost about as much as one, none costs nothing.

        On return `check` does not answer NOT_REVOKED for any of them any more, to any process. While the store cannot
        be reached this takes as long as any process might still trust what the store said before.
        """
        ...

    async def refill(self, revoked: Callable[[], Awaitable[Collection[SessionId]]]) -> None:
        """Make `check` able to answer again after UNKNOWN. `revoked` reads from the rows all sessions revoked within
        REVOCATION_MEMORY; it is called only when needed, once for many callers. Never raises for a store that is down.
        """
        ...
