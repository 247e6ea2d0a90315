"""List API keys."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListApiKeysCommand:
    """Which page."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """The keys of every service, the newest first, those that are over too; for admins."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: ListApiKeysCommand) -> Page[ApiKey]:
        """A page, empty where there are none."""
        async with self.unit_of_work() as uow:
            return await uow.api_keys.list(command.page)
