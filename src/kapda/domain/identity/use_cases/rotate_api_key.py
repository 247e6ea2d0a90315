"""Rotate an API key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from kapda.domain.identity.api_key import DEFAULT_OVERLAP, ApiKeyTexts, key_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.use_cases.issue_api_key import IssuedApiKey
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import ApiKeyId, IdGenerator
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class RotateApiKeyCommand:
    """Which key, and how long it goes on beside the next one. `proof` is None for an operator at the machine."""

    occasion: Occasion
    proof: RequestProof | None
    key_id: ApiKeyId
    overlap: timedelta = DEFAULT_OVERLAP


@dataclass(frozen=True, slots=True)
class RotateApiKey:
    """Makes the service's next key. The service stays who it is: its requests, and what it did, are told apart by the
    service and not by the key.

    Raises NotFoundError (API_KEY_NOT_FOUND), InvalidArgumentError (VALIDATION_FAILED) and FailedPreconditionError
    (API_KEY_STATE_INVALID).
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    texts: ApiKeyTexts
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RotateApiKeyCommand) -> IssuedApiKey:
        """The next key."""
        now = self.clock.now()
        text = self.texts.new()
        async with self.unit_of_work() as uow:
            if command.proof is not None:
                await uow.nonces.spend(command.proof)
            old = await uow.api_keys.lock(command.key_id)
            if old is None:
                raise key_not_found(command.key_id)
            key = old.successor(ApiKeyId(self.ids.new()), text, now)
            old.give_way(key, command.overlap, now)
            await uow.api_keys.add(key)
            await uow.api_keys.save(old)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.API_KEY_ROTATED,
                    "api_key",
                    old.id,
                    {
                        "prefix": old.prefix,
                        "replaced_by": str(key.id),
                        "ends_at": old.expires_at.isoformat() if old.expires_at is not None else None,
                    },
                )
            )
            await uow.commit()
        return IssuedApiKey(key, text)
