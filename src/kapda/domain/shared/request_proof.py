"""The proof behind a signed request, and the nonces that make each good for one effect.

A proof is spent in the transaction of the operation it is for: an operation that is rolled back leaves it unspent, one that
commits leaves it spent for good, whatever happens to any cache.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kapda.domain.shared.errors import PermissionDeniedError, Reason
from kapda.domain.shared.ids import SigningKeyId


@dataclass(frozen=True, slots=True)
class RequestProof:
    """A signature that was checked for this very call: made with that key at that instant, under that nonce."""

    key_id: SigningKeyId
    nonce: str
    signed_at: datetime


class Nonces(Protocol):
    """Spent proofs, inside a unit of work."""

    async def spend(self, proof: RequestProof) -> None:
        """Use it up; waits for a twin that is in a transaction at this moment.

        Raises PermissionDeniedError: NONCE_REUSED for a nonce that its key signed before, SIGNATURE_INVALID when the key was
        revoked meanwhile. A key cannot be revoked between this and the end of the transaction.
        """
        ...


def nonce_reused() -> PermissionDeniedError:
    """The refusal of a request that was signed for another sending."""
    return PermissionDeniedError(Reason.NONCE_REUSED, "the nonce was used before: sign again with another")


def signature_invalid() -> PermissionDeniedError:
    """The refusal that says nothing of what was wrong."""
    return PermissionDeniedError(Reason.SIGNATURE_INVALID, "the signature is not valid for this request")
