"""Verify the signature of a request."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.signing import Signature, SignedCall, SigningSecrets
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import SigningKeyId
from kapda.domain.shared.request_proof import RequestProof, signature_invalid


@dataclass(frozen=True, slots=True)
class VerifySignatureCommand:
    """The call as it came, and the signature that came beside it."""

    call: SignedCall
    signature: Signature


@dataclass(frozen=True, slots=True)
class VerifySignature:
    """Runs before every call that must be signed. What it answers is not spent yet: the operation does that itself, in
    its own transaction.

    Raises PermissionDeniedError (SIGNATURE_INVALID, SIGNATURE_EXPIRED).
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    secrets: SigningSecrets
    clock: Clock

    async def execute(self, command: VerifySignatureCommand) -> RequestProof:
        """The proof."""
        try:
            key_id = SigningKeyId(UUID(command.signature.key_id))
        except ValueError:
            raise signature_invalid() from None
        async with self.unit_of_work() as uow:
            key = await uow.signing_keys.find(key_id)
        return command.signature.check(command.call, key, self.secrets.accepted(key_id), self.clock.now())
