"""Revoke an API key."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.api_key import ApiKey, key_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import ApiKeyId, IdGenerator


@dataclass(frozen=True, slots=True)
class RevokeApiKeyCommand:
    """Which key."""

    occasion: Occasion
    key_id: ApiKeyId


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Ends a key: once this has answered, no process lets it in. Raises NotFoundError (API_KEY_NOT_FOUND)."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RevokeApiKeyCommand) -> ApiKey:
        """The key as it ended; again changes nothing."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            key = await uow.api_keys.lock(command.key_id)
            if key is None:
                raise key_not_found(command.key_id)
            if key.revoke(now):
                await uow.api_keys.save(key)
                await uow.audit.add(
                    AuditEntry(
                        self.ids.new(),
                        now,
                        command.occasion,
                        AuditAction.API_KEY_REVOKED,
                        "api_key",
                        key.id,
                        {"prefix": key.prefix, "service_id": str(key.service_id)},
                    )
                )
            await uow.commit()
        return key
