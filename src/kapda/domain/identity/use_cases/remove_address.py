"""Take an entry out of the address book."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.address_book import address_not_found
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.shared.ids import AddressId


@dataclass(frozen=True, slots=True)
class RemoveAddressCommand:
    """Which one."""

    principal: Principal
    address_id: AddressId


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Removes an entry. Checkouts and orders keep the address they were made with."""

    unit_of_work: Callable[[], ProfileUnitOfWork]

    async def execute(self, command: RemoveAddressCommand) -> None:
        """Remove it. Raises NotFoundError (ADDRESS_NOT_FOUND), also for one that was removed before."""
        async with self.unit_of_work() as uow:
            if not await uow.addresses.remove(command.principal.user_id, command.address_id):
                raise address_not_found(command.address_id)
            await uow.commit()
