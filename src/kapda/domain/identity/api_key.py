"""API keys: how internal services sign in.

A service is a user with the role of one and no password. Its keys come one after the other: rotating makes the next one,
and the old one goes on for a while, so that nothing stops. The key's text is shown once; only a digest of its secret half
is kept. SHA-256 without salt or stretching is enough: there is nothing to guess in 256 random bits.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Protocol

from kapda.domain.identity.scope import HOUSE_SCOPES, KeyGrant, Scope
from kapda.domain.shared.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Reason,
    UnauthenticatedError,
)
from kapda.domain.shared.ids import ApiKeyId, DesignerId, UserId

DEFAULT_OVERLAP = timedelta(hours=24)
# A week: a service that is deployed less often than that has its key replaced by hand.
MAX_OVERLAP = timedelta(hours=168)
# The last second that the contract can tell. A key that is good for as long again would leave the calendar some day.
LAST_EXPIRY = datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)
# How exactly a key's last use is known. More would be a write for every call.
USE_NOTED_EVERY = timedelta(minutes=1)

_TEXT = re.compile(r"kapda_([a-z2-7]{8})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """`kapda_<prefix>_<secret>`: 8 characters that name the key to everybody, and 43 that only its holder has."""

    prefix: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ApiKeyText":
        """From what a call brought. Raises UnauthenticatedError (API_KEY_INVALID)."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise key_invalid()
        return cls(*match.groups())

    @property
    def text(self) -> str:
        """What its holder keeps."""
        return f"kapda_{self.prefix}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is kept of the secret: 32 bytes."""
        return sha256(self.secret.encode()).digest()


class ApiKeyTexts(Protocol):
    """Makes key texts."""

    def new(self) -> ApiKeyText:
        """A prefix of 40 random bits and a secret of 256."""
        ...


@dataclass(slots=True)
class ApiKey:
    """One key of a service. It works until it expires or is revoked, whichever comes first."""

    id: ApiKeyId
    service_id: UserId
    service_name: str
    prefix: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    designer_id: DesignerId | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: ApiKeyId | None = None

    def __post_init__(self) -> None:
        if not self.scopes:
            raise InvalidArgumentError.for_field("scopes", "must name at least one")
        if self.designer_id is not None and not self.scopes <= HOUSE_SCOPES:
            raise InvalidArgumentError.for_field("scopes", "for one house can only be about its inventory")
        if self.expires_at is not None and self.expires_at < self.created_at:
            raise InvalidArgumentError.for_field("expire_time", "must lie ahead")

    def is_active(self, at: datetime) -> bool:
        """Whether calls with it are let in."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def check(self, text: ApiKeyText, at: datetime) -> None:
        """Raises UnauthenticatedError: API_KEY_INVALID for another secret or a revoked key, of which whoever found it
        learns nothing; API_KEY_EXPIRED for one whose time is over."""
        if not compare_digest(self.digest, text.digest) or self.revoked_at is not None:
            raise key_invalid()
        if not self.is_active(at):
            raise UnauthenticatedError(Reason.API_KEY_EXPIRED, "the API key has expired")

    def use_is_due(self, at: datetime) -> bool:
        """Whether this use should be noted: the last noted one is a while ago."""
        return self.last_used_at is None or at - self.last_used_at >= USE_NOTED_EVERY

    def grant(self) -> KeyGrant:
        """What it allows."""
        return KeyGrant(self.id, self.scopes, self.designer_id)

    def successor(self, key_id: ApiKeyId, text: ApiKeyText, at: datetime) -> "ApiKey":
        """The next key of the service: the same rights for as long again, at the longest to LAST_EXPIRY.

        Raises FailedPreconditionError (API_KEY_STATE_INVALID) for a key that is over or was replaced before.
        """
        if not self.is_active(at) or self.replaced_by is not None:
            raise FailedPreconditionError(
                Reason.API_KEY_STATE_INVALID,
                f"API key {self.prefix} is over or was replaced",
                metadata={"prefix": self.prefix},
            )
        expires_at = None
        if self.expires_at is not None:
            expires_at = at + min(self.expires_at - self.created_at, max(LAST_EXPIRY - at, timedelta(0)))
        return ApiKey(
            key_id,
            self.service_id,
            self.service_name,
            text.prefix,
            text.digest,
            self.scopes,
            self.designer_id,
            created_at=at,
            expires_at=expires_at,
        )

    def give_way(self, successor: "ApiKey", overlap: timedelta, at: datetime) -> None:
        """End after the overlap, or when it would have ended anyway."""
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            hours = MAX_OVERLAP // timedelta(hours=1)
            raise InvalidArgumentError.for_field("overlap_hours", f"must be between 0 and {hours}")
        self.replaced_by = successor.id
        self.expires_at = at + overlap if self.expires_at is None else min(self.expires_at, at + overlap)

    def revoke(self, at: datetime) -> bool:
        """End it at once. Ending it again changes nothing: the first end counts. Whether this was the first."""
        if self.revoked_at is not None:
            return False
        self.revoked_at = at
        return True


def key_invalid() -> UnauthenticatedError:
    """The refusal of what is no key of ours, or none any more."""
    return UnauthenticatedError(Reason.API_KEY_INVALID, "the API key is not valid")


def key_not_found(key_id: ApiKeyId) -> NotFoundError:
    """No such key."""
    return NotFoundError(Reason.API_KEY_NOT_FOUND, f"API key {key_id} not found", metadata={"api_key_id": str(key_id)})


def designer_not_found(designer_id: DesignerId) -> NotFoundError:
    """No such house."""
    return NotFoundError(
        Reason.DESIGNER_NOT_FOUND, f"designer {designer_id} not found", metadata={"designer_id": str(designer_id)}
    )


def scope_missing(scope: Scope) -> PermissionDeniedError:
    """The key is good, for other things."""
    return PermissionDeniedError(
        Reason.SCOPE_MISSING, f"the API key lacks the scope {scope.value}", metadata={"scope": scope.value}
    )
