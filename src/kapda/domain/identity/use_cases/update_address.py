"""Replace an entry of the address book."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.address_book import Label, SavedAddress, address_changed, address_not_found
from kapda.domain.identity.phone import PhoneNumber, never_given_out
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import PhoneNumbers, ProfileUnitOfWork
from kapda.domain.shared.address import Address
from kapda.domain.shared.etag import version_of
from kapda.domain.shared.ids import AddressId


@dataclass(frozen=True, slots=True)
class UpdateAddressCommand:
    """`etag` is of the entry as its owner saw it."""

    principal: Principal
    address_id: AddressId
    label: Label
    address: Address
    etag: str


@dataclass(frozen=True, slots=True)
class UpdateAddress:
    """Replaces label and address. Checkouts and orders keep what they were made with."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    phone_numbers: PhoneNumbers

    async def execute(self, command: UpdateAddressCommand) -> SavedAddress:
        """The entry as it is now. Raises InvalidArgumentError (VALIDATION_FAILED), NotFoundError (ADDRESS_NOT_FOUND) or
        AbortedError (ETAG_MISMATCH)."""
        user_id, address_id, version = command.principal.user_id, command.address_id, version_of(command.etag)
        if not self.phone_numbers.is_given_out(PhoneNumber(command.address.phone)):
            raise never_given_out("address.phone")
        async with self.unit_of_work() as uow:
            updated = await uow.addresses.update(user_id, address_id, version, command.label, command.address)
            saved = await uow.addresses.find(user_id, address_id)
            if saved is None:
                raise address_not_found(address_id)
            if not updated:
                raise address_changed(saved)
            await uow.commit()
        return saved
