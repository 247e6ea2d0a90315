"""Prefer an entry of the address book."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.address_book import SavedAddress, address_not_found
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import AddressId


@dataclass(frozen=True, slots=True)
class PreferAddressCommand:
    """Which one."""

    principal: Principal
    address_id: AddressId


@dataclass(frozen=True, slots=True)
class PreferAddress:
    """Makes an entry the preferred one; again is fine."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    clock: Clock

    async def execute(self, command: PreferAddressCommand) -> SavedAddress:
        """The entry. Raises NotFoundError (ADDRESS_NOT_FOUND)."""
        user_id, address_id = command.principal.user_id, command.address_id
        async with self.unit_of_work() as uow:
            preferred = await uow.addresses.prefer(user_id, address_id, self.clock.now())
            saved = await uow.addresses.find(user_id, address_id)
            if not preferred or saved is None:
                raise address_not_found(address_id)
            await uow.commit()
        return saved
