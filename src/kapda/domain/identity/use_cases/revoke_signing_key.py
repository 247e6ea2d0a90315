"""Revoke a signing key."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.signing import SigningKey, signing_key_not_found
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, SigningKeyId


@dataclass(frozen=True, slots=True)
class RevokeSigningKeyCommand:
    """Which key."""

    occasion: Occasion
    key_id: SigningKeyId


@dataclass(frozen=True, slots=True)
class RevokeSigningKey:
    """Ends a key: once this has answered, nothing that it signed takes effect any more. Needs no signature: taking power
    away must be easy. Raises NotFoundError (SIGNING_KEY_NOT_FOUND)."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RevokeSigningKeyCommand) -> SigningKey:
        """The key as it ended; again changes nothing."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            key = await uow.signing_keys.lock(command.key_id)
            if key is None:
                raise signing_key_not_found(command.key_id)
            if key.revoke(now):
                await uow.signing_keys.save(key)
                await uow.audit.add(
                    AuditEntry(
                        self.ids.new(),
                        now,
                        command.occasion,
                        AuditAction.SIGNING_KEY_REVOKED,
                        "signing_key",
                        key.id,
                        {"user_id": str(key.user_id)},
                    )
                )
            await uow.commit()
        return key
