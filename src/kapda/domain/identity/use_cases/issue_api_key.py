"""Issue an API key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.api_key import ApiKey, ApiKeyText, ApiKeyTexts, designer_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.user import DisplayName, User
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import ApiKeyId, DesignerId, IdGenerator, UserId
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class IssueApiKeyCommand:
    """For which service, with which scopes, for one house or all, until when or for good. `proof` is None for an operator
    at the machine."""

    occasion: Occasion
    proof: RequestProof | None
    name: str
    scopes: frozenset[Scope]
    designer_id: DesignerId | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """The key and its text, which is told only now."""

    key: ApiKey
    text: ApiKeyText


@dataclass(frozen=True, slots=True)
class IssueApiKey:
    """Makes a service and its first key. A lost answer leaves a key that nobody can use, to be revoked.

    Raises InvalidArgumentError (VALIDATION_FAILED) and NotFoundError (DESIGNER_NOT_FOUND).
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    texts: ApiKeyTexts
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: IssueApiKeyCommand) -> IssuedApiKey:
        """The key."""
        now = self.clock.now()
        service = User.service(UserId(self.ids.new()), DisplayName(command.name), now)
        text = self.texts.new()
        key = ApiKey(
            ApiKeyId(self.ids.new()),
            service.id,
            service.display_name.text,
            text.prefix,
            text.digest,
            command.scopes,
            command.designer_id,
            created_at=now,
            expires_at=command.expires_at,
        )
        async with self.unit_of_work() as uow:
            if command.proof is not None:
                await uow.nonces.spend(command.proof)
            await uow.users.add(service)
            if command.designer_id is not None and not await uow.designer_members.add(
                command.designer_id, service.id, now
            ):
                raise designer_not_found(command.designer_id)
            await uow.api_keys.add(key)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.API_KEY_ISSUED,
                    "api_key",
                    key.id,
                    {
                        "prefix": key.prefix,
                        "service_id": str(service.id),
                        "scopes": " ".join(sorted(scope.value for scope in key.scopes)),
                        "designer_id": str(key.designer_id) if key.designer_id is not None else None,
                    },
                )
            )
            await uow.commit()
        return IssuedApiKey(key, text)
