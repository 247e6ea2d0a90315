"""API keys in memory, and texts that count."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime

from kapda.domain.identity.api_key import ApiKey, ApiKeyText
from kapda.domain.identity.user import User
from kapda.domain.shared.ids import ApiKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest


@dataclass
class InMemoryApiKeys:
    """ApiKeys over a dictionary of rows, and the services among the users."""

    rows: dict[ApiKeyId, ApiKey]
    users: Mapping[UserId, User]

    async def add(self, key: ApiKey) -> None:
        self.rows[key.id] = deepcopy(key)

    async def find_by_prefix(self, prefix: str) -> ApiKey | None:
        found = next((key for key in self.rows.values() if key.prefix == prefix), None)
        return deepcopy(found) if found is not None and self.users[found.service_id].is_active else None

    async def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        return deepcopy(self.rows.get(key_id))

    async def save(self, key: ApiKey) -> None:
        saved = deepcopy(key)
        saved.last_used_at = self.rows[key.id].last_used_at
        self.rows[key.id] = saved

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        wanted = [deepcopy(self.rows[key_id]) for key_id in sorted(self.rows, reverse=True)]
        if page.cursor is not None:
            wanted = [key for key in wanted if str(key.id) < page.cursor[0]]
        return Page.cut(wanted[: page.size + 1], page, lambda key: (str(key.id),))


@dataclass
class CountingKeyTexts:
    """ApiKeyTexts that can be told before."""

    made: list[ApiKeyText] = field(default_factory=list)

    def new(self) -> ApiKeyText:
        text = ApiKeyText(f"aaaaaa{len(self.made) // 6 + 2}{len(self.made) % 6 + 2}", f"{len(self.made):043}")
        self.made.append(text)
        return text


@dataclass
class RememberedKeyUses:
    """KeyUses."""

    noted: list[tuple[ApiKeyId, datetime]] = field(default_factory=list)

    def note(self, key_id: ApiKeyId, at: datetime) -> None:
        self.noted.append((key_id, at))
