"""Authenticate an API key: from a key's text to the service that the call is made for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.api_key import ApiKeyText, key_invalid
from kapda.domain.identity.key_ports import KeyUses
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True)
class AuthenticateApiKeyCommand:
    """The key as it came."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticateApiKey:
    """Runs before every call that brings a key, and reads its row each time: a revoked key is refused from the next call
    on, in every process. The read is one look into one index.
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    uses: KeyUses
    clock: Clock

    async def execute(self, command: AuthenticateApiKeyCommand) -> Principal:
        """The service. Raises UnauthenticatedError (API_KEY_INVALID, API_KEY_EXPIRED), or UnavailableError."""
        text = ApiKeyText.parse(command.key)
        async with self.unit_of_work() as uow:
            key = await uow.api_keys.find_by_prefix(text.prefix)
        if key is None:
            raise key_invalid()
        now = self.clock.now()
        key.check(text, now)
        if key.use_is_due(now):
            self.uses.note(key.id, now)
        return Principal(key.service_id, Role.SERVICE, SessionId(key.id), key.grant())
