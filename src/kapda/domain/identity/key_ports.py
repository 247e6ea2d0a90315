"""What API keys and signing keys need from outside."""

from datetime import datetime
from typing import Protocol

from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.signing import SigningKey
from kapda.domain.shared.ids import ApiKeyId, SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest


class ApiKeys(Protocol):
    """API keys, inside a unit of work."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def find_by_prefix(self, prefix: str) -> ApiKey | None:
        """The key that its text names, be it over or not; None where there is none, or its service is not active."""
        ...

    async def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        """The key as it is now, or None; nobody else changes it before this transaction ends."""
        ...

    async def save(self, key: ApiKey) -> None:
        """Keep the changes of a key that was locked in this transaction. The last use is not one of them."""
        ...

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """All keys, the newest first. The cursor is (key id,)."""
        ...


class SigningKeys(Protocol):
    """Signing keys, inside a unit of work."""

    async def add(self, key: SigningKey) -> None:
        """Keep a new key."""
        ...

    async def find(self, key_id: SigningKeyId) -> SigningKey | None:
        """The key, be it over or not, or None."""
        ...

    async def lock(self, key_id: SigningKeyId) -> SigningKey | None:
        """The key as it is now, or None; nobody else changes it before this transaction ends. Waits for the operations that
        are spending what it signed."""
        ...

    async def save(self, key: SigningKey) -> None:
        """Keep the changes of a key that was locked in this transaction."""
        ...

    async def revoke_all(self, user_id: UserId, at: datetime) -> int:
        """End the user's keys, as `SigningKey.revoke` does; how many there were. Waits for the operations that are spending
        what they signed. Call it with the user's row locked."""
        ...

    async def has_any(self, user_id: UserId) -> bool:
        """Whether the user has, or ever had, a key."""
        ...

    async def list(self, page: PageRequest) -> Page[SigningKey]:
        """All keys, the newest first. The cursor is (key id,)."""
        ...


class KeyUses(Protocol):
    """When API keys were last used, give or take USE_NOTED_EVERY."""

    def note(self, key_id: ApiKeyId, at: datetime) -> None:
        """Have the use written down some time soon. Returns at once and never fails; a note may be lost."""
        ...
