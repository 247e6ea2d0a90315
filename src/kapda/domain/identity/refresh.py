"""Refresh tokens: one use each, and the alarm when one is used twice.

A session has one living chain of refresh tokens. Using the newest makes the next; so whoever presents one that was used
before holds a copy, or had theirs copied, and nobody can tell which of the two: the whole session ends, for both. Only
within ten seconds of its use may a token be used again, for tabs of one browser that wake at the same moment and for an
answer that got lost: each gets a successor of its own, all of one session.

Tokens are 256 random bits of which only the digest is kept. SHA-256 without salt or stretching is enough here: there is
nothing to guess.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, unique
from hashlib import sha256
from typing import Protocol

from kapda.domain.identity.session import AccessToken, Session
from kapda.domain.shared.errors import Reason, ResourceExhaustedError, UnauthenticatedError
from kapda.domain.shared.ids import SessionId

# Long enough for a browser's tabs and one lost answer, short for a thief.
GRACE = timedelta(seconds=10)
# More tabs than anybody wakes at once; without a limit a token would make tokens without end for ten seconds.
MAX_SUCCESSORS = 20
# Of one session, all its tokens together: three times a browser's tabs that all wake each time the access token ends.
MAX_REFRESHES = 60
REFRESHES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    """A refresh token as its holder sends it. Its text stays out of every representation."""

    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is kept of it: 32 bytes."""
        return sha256(self.text.encode()).digest()


class RefreshSecrets(Protocol):
    """Makes refresh tokens."""

    def new(self) -> RefreshSecret:
        """256 bits that nobody can guess, as 43 characters of URL-safe base64."""
        ...


@unique
class TokenUse(Enum):
    """What it means that a token is used now."""

    # The first time, or again within the grace: there is to be a successor.
    GRANTED = "granted"
    # Again within the grace, oftener than any browser has tabs.
    TOO_OFTEN = "too_often"
    # Again after the grace: the token is in two hands.
    REPLAYED = "replayed"
    EXPIRED = "expired"


@dataclass(slots=True)
class RefreshToken:
    """What is known of a token that was given out."""

    digest: bytes
    session_id: SessionId
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    successors: int = 0

    @classmethod
    def of(cls, secret: RefreshSecret, session: Session, at: datetime) -> "RefreshToken":
        """A token given out now; it is good for as long as the session is, unless the session is refreshed or ended."""
        return cls(secret.digest, session.id, issued_at=at, expires_at=session.expires_at)

    def use(self, at: datetime) -> TokenUse:
        """Use it, where that is granted: the first use starts the grace, and further ones do not prolong it."""
        if at >= self.expires_at:
            return TokenUse.EXPIRED
        if self.used_at is not None and at - self.used_at > GRACE:
            return TokenUse.REPLAYED
        if self.successors >= MAX_SUCCESSORS:
            return TokenUse.TOO_OFTEN
        self.used_at = self.used_at or at
        self.successors += 1
        return TokenUse.GRANTED


@dataclass(frozen=True, slots=True)
class IssuedRefreshToken:
    """A token to hand to its user, once."""

    secret: RefreshSecret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """What a client keeps of its session: the token for each call, and the one that gets it the next two."""

    access_token: AccessToken
    refresh_token: IssuedRefreshToken


def refresh_token_invalid() -> UnauthenticatedError:
    """The refusal of a refresh token that is unknown or has expired: of either no more is kept."""
    return UnauthenticatedError(Reason.REFRESH_TOKEN_INVALID, "the refresh token is not valid")


def refresh_token_reused() -> UnauthenticatedError:
    """The refusal of a refresh token that came again after its grace; its session was ended for that."""
    return UnauthenticatedError(Reason.REFRESH_TOKEN_REUSED, "the refresh token was used before; the session is over")


def session_refreshed_too_often() -> ResourceExhaustedError:
    """The refusal of one refresh more than a session may have in its time. Its tokens stay good."""
    return ResourceExhaustedError(
        Reason.RATE_LIMITED,
        "this session was refreshed too often; go on with the newest tokens",
        metadata={"limit": "refreshes_of_one_session", "allowed": str(MAX_REFRESHES)},
        retry_after=60.0,
    )


def refreshed_too_often() -> ResourceExhaustedError:
    """The refusal of one token's use for the so-many-th time in its grace. The successors are good: use the newest."""
    return ResourceExhaustedError(
        Reason.RATE_LIMITED,
        "this refresh token has made enough successors; use the newest of them",
        metadata={"limit": "refreshes_of_one_token", "allowed": str(MAX_SUCCESSORS)},
        retry_after=1.0,
    )
