"""Sessions and the access tokens made for them.

A session is a row that lives until it expires or is revoked, whichever comes first, and never comes back. Tokens are
short-lived and name their session; ending the session ends every token made for it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
# Counted from log-in and never extended: whoever is signed in has given the password within a week.
SESSION_LIFE = timedelta(days=7)
# How far the clocks of our machines may differ.
CLOCK_SKEW = timedelta(minutes=1)
# How long a revoked session must be remembered apart from its row: until its last token has expired everywhere.
REVOCATION_MEMORY = ACCESS_TOKEN_LIFE + CLOCK_SKEW


@dataclass(slots=True)
class Session:
    """One signed-in device of a user."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def start(cls, session_id: SessionId, user_id: UserId, at: datetime) -> "Session":
        """A session that begins now."""
        return cls(session_id, user_id, created_at=at, expires_at=at + SESSION_LIFE)

    def is_active(self, at: datetime) -> bool:
        """Whether tokens of this session may still be accepted."""
        return self.revoked_at is None and at < self.expires_at

    def revoke(self, at: datetime) -> None:
        """End it. Ending it again changes nothing: the first end counts."""
        if self.revoked_at is None:
            self.revoked_at = at


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says: for whom, in which session, from when until when. Each has its own `token_id`."""

    principal: Principal
    token_id: UUID
    issued_at: datetime
    expires_at: datetime

    @classmethod
    def for_session(cls, session: Session, role: Role, token_id: UUID, at: datetime) -> "AccessClaims":
        """Claims for a token made now; a token never outlives its session."""
        principal = Principal(session.user_id, role, session.id)
        return cls(principal, token_id, issued_at=at, expires_at=min(at + ACCESS_TOKEN_LIFE, session.expires_at))


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token to hand to its user. The text is the credential: it never shows in a repr."""

    text: str = field(repr=False)
    expires_at: datetime


def session_over() -> UnauthenticatedError:
    """The refusal of a token whose session was revoked, has expired or is gone."""
    return UnauthenticatedError(Reason.SESSION_REVOKED, "the session is over")
