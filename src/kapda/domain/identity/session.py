"""Sessions and the access tokens made for them.

A session is a row that lives until it expires or is revoked, whichever comes first, and never comes back. Each refresh
moves its end, never beyond thirty days after log-in. Access tokens are short-lived and name their session; ending the
session ends every token made for it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import NotFoundError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
# A device that is not used for so long has to sign in again.
REFRESH_TOKEN_LIFE = timedelta(days=7)
# Counted from log-in and never extended: whoever is signed in has given the password within the month.
SESSION_LIFE = timedelta(days=30)
# How far the clocks of our machines may differ.
CLOCK_SKEW = timedelta(minutes=1)
# How long a revoked session must be remembered apart from its row: until its last token has expired everywhere.
REVOCATION_MEMORY = ACCESS_TOKEN_LIFE + CLOCK_SKEW
# What people need to recognise a browser; the rest of the text is of no use to them.
MAX_USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Contact:
    """From where a client called: its network, and what it calls itself.

    The user agent is the client's own word: it helps people recognise a device and proves nothing. It is cut to 200
    characters, and what cannot be printed is left out.
    """

    network: ClientNetwork = ClientNetwork.UNKNOWN
    user_agent: str | None = None

    def __post_init__(self) -> None:
        if self.user_agent is not None:
            # Nearly all of them are, and letter by letter takes ten times as long.
            printable = self.user_agent
            if not printable.isprintable():
                printable = "".join(character for character in printable if character.isprintable())
            object.__setattr__(self, "user_agent", printable[:MAX_USER_AGENT_LENGTH].strip() or None)


NOWHERE = Contact()


@dataclass(slots=True)
class Session:
    """One signed-in device of a user: the family of all tokens that descend from one log-in."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    begun_from: Contact = NOWHERE
    refreshed_at: datetime | None = None
    refreshed_from: Contact = NOWHERE

    @classmethod
    def start(cls, session_id: SessionId, user_id: UserId, at: datetime, contact: Contact = NOWHERE) -> "Session":
        """A session that begins now."""
        return cls(session_id, user_id, created_at=at, expires_at=at + REFRESH_TOKEN_LIFE, begun_from=contact)

    def is_active(self, at: datetime) -> bool:
        """Whether tokens of this session may still be accepted."""
        return self.revoked_at is None and at < self.expires_at

    def refresh(self, at: datetime, contact: Contact) -> None:
        """Remember that the device came for new tokens, and from where. Only for a session that is active."""
        self.refreshed_at = at
        self.refreshed_from = contact
        # Never back: the clocks of two machines differ, and a token already given out says until when it is good.
        self.expires_at = max(self.expires_at, min(at + REFRESH_TOKEN_LIFE, self.created_at + SESSION_LIFE))

    def revoke(self, at: datetime) -> None:
        """End it. Ending it again changes nothing: the first end counts. None ends before it began: whoever ends it may
        have looked at the clock before a log-in that was quicker did."""
        if self.revoked_at is None:
            self.revoked_at = max(at, self.created_at)


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


def session_not_found() -> NotFoundError:
    """The refusal to show or end a session that does not exist or is another's."""
    return NotFoundError(Reason.SESSION_NOT_FOUND, "no such session")
