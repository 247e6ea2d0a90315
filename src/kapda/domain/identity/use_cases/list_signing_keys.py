"""List signing keys."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.signing import SigningKey
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListSigningKeysCommand:
    """Which page."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListSigningKeys:
    """The keys of everybody, the newest first, those that are over too; for admins."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: ListSigningKeysCommand) -> Page[SigningKey]:
        """A page, empty where there are none."""
        async with self.unit_of_work() as uow:
            return await uow.signing_keys.list(command.page)
