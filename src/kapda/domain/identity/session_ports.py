"""What sessions and their tokens need from outside."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from enum import Enum, unique
from typing import Protocol

from kapda.domain.identity.refresh import RefreshToken
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.shared.ids import SessionId, UserId
from kapda.domain.shared.pages import Page, PageRequest


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
