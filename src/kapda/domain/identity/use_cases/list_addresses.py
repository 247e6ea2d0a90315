"""Read the address book."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.address_book import SavedAddress
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork


@dataclass(frozen=True, slots=True)
class ListAddressesCommand:
    """Who asks."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class ListAddresses:
    """The caller's own address book."""

    unit_of_work: Callable[[], ProfileUnitOfWork]

    async def execute(self, command: ListAddressesCommand) -> tuple[SavedAddress, ...]:
        """All entries: the preferred one first, then the newest."""
        async with self.unit_of_work() as uow:
            return await uow.addresses.all_of(command.principal.user_id)
