"""Signed requests: what is signed, with which keys, and for how long a signature is good.

docs/signed-requests.md says the same to those who sign, with test vectors. A signing key belongs to one user, an admin or a
service. Its secret is made from the server's own and the key's id, told once and kept nowhere.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from kapda.domain.shared.errors import FailedPreconditionError, NotFoundError, PermissionDeniedError, Reason
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.domain.shared.request_proof import RequestProof, signature_invalid

# The first line of what is signed, so that no signature is ever good for another form of it.
FORM = "kapda-signature-v1"
# How far the signer's clock may be from ours, either way.
WINDOW = timedelta(minutes=5)

_TIMESTAMP = re.compile(r"[1-9][0-9]{0,10}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """What requests are signed with: 43 characters, whose ASCII bytes are the key of the HMAC."""

    text: str = field(repr=False)

    def sign(self, message: bytes) -> str:
        """HMAC-SHA256 as 64 lower-case hexadecimal digits."""
        return hmac.new(self.text.encode(), message, sha256).hexdigest()


class SigningSecrets(Protocol):
    """Makes a key's secret from its id and the server's own; the same each time, until that is replaced."""

    def secret_of(self, key_id: SigningKeyId) -> SigningSecret:
        """The secret, which nobody can work out from the id alone."""
        ...

    def accepted(self, key_id: SigningKeyId) -> Sequence[SigningSecret]:
        """What the key's signatures may be made with: `secret_of`, and what that was before, as long as the server's own of
        then is accepted beside today's."""
        ...


@dataclass(slots=True)
class SigningKey:
    """A user's right to sign requests. It lasts until it is revoked."""

    id: SigningKeyId
    user_id: UserId
    created_at: datetime
    revoked_at: datetime | None = None

    def revoke(self, at: datetime) -> bool:
        """End it at once. Ending it again changes nothing: the first end counts. Whether this was the first."""
        if self.revoked_at is not None:
            return False
        self.revoked_at = at
        return True


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What a signature is about: the method's path, the request's bytes as they travel, when and under which nonce it was
    signed, and who calls."""

    method: str
    body: bytes
    timestamp: str
    nonce: str
    principal_id: UserId

    def canonical(self) -> bytes:
        """Six lines with a line feed between them and none at the end."""
        digest = sha256(self.body).hexdigest()
        return "\n".join((FORM, self.method, digest, self.timestamp, self.nonce, str(self.principal_id))).encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """What came beside a call, as it came."""

    key_id: str
    timestamp: str
    nonce: str
    text: str

    def __post_init__(self) -> None:
        """Raises PermissionDeniedError (SIGNATURE_INVALID) for what cannot be one."""
        shapes = ((_TIMESTAMP, self.timestamp), (_NONCE, self.nonce), (_SIGNATURE, self.text))
        if not all(shape.fullmatch(text) for shape, text in shapes):
            raise signature_invalid()

    @property
    def signed_at(self) -> datetime:
        """When the signer says it was made."""
        return datetime.fromtimestamp(int(self.timestamp), UTC)

    def check(
        self, call: SignedCall, key: SigningKey | None, secrets: Sequence[SigningSecret], at: datetime
    ) -> RequestProof:
        """The proof. Raises PermissionDeniedError: SIGNATURE_INVALID for a key that is not the caller's or is over, and for
        another signature; SIGNATURE_EXPIRED for one made too long ago or too far ahead."""
        message = call.canonical()
        # Each is tried, so that the time tells nothing.
        right = [hmac.compare_digest(secret.sign(message), self.text) for secret in secrets]
        if not any(right) or key is None or key.user_id != call.principal_id or key.revoked_at is not None:
            raise signature_invalid()
        if abs(at - self.signed_at) > WINDOW:
            seconds = WINDOW // timedelta(seconds=1)
            raise PermissionDeniedError(
                Reason.SIGNATURE_EXPIRED,
                f"the signature was not made within {seconds} seconds of the server's clock: sign again",
                metadata={"window_seconds": str(seconds), "server_time": str(int(at.timestamp()))},
            )
        return RequestProof(key.id, self.nonce, self.signed_at)


def signature_missing() -> PermissionDeniedError:
    """The refusal of a call that must be signed and is not."""
    return PermissionDeniedError(Reason.SIGNATURE_MISSING, "the request must be signed")


def signing_key_not_found(key_id: SigningKeyId) -> NotFoundError:
    """No such key."""
    return NotFoundError(
        Reason.SIGNING_KEY_NOT_FOUND, f"signing key {key_id} not found", metadata={"signing_key_id": str(key_id)}
    )


def cannot_sign(user_id: UserId) -> FailedPreconditionError:
    """Nothing that must be signed is open to the user."""
    return FailedPreconditionError(
        Reason.USER_CANNOT_SIGN,
        f"user {user_id} is neither an active admin nor an active service",
        metadata={"user_id": str(user_id)},
    )
