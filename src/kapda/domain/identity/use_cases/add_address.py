"""Put an entry into the address book."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.address_book import Label, SavedAddress, address_limit_exceeded
from kapda.domain.identity.phone import PhoneNumber, never_given_out
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import PhoneNumbers, ProfileUnitOfWork
from kapda.domain.identity.session import session_over
from kapda.domain.shared.address import Address
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import AddressId, IdGenerator, RequestId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class AddAddressCommand:
    """What to add."""

    principal: Principal
    request_id: RequestId
    label: Label
    address: Address


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Adds an entry, once a request id, up to the limit."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    phone_numbers: PhoneNumbers
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: AddAddressCommand) -> Answer[SavedAddress]:
        """The entry. Raises InvalidArgumentError (VALIDATION_FAILED, REQUEST_ID_REUSED), FailedPreconditionError
        (ADDRESS_LIMIT_EXCEEDED) or UnauthenticatedError (SESSION_REVOKED) when the account is gone."""
        user_id = command.principal.user_id
        if not self.phone_numbers.is_given_out(PhoneNumber(command.address.phone)):
            raise never_given_out("address.phone")
        key = RequestKey(user_id, "AddAddress", command.request_id, fingerprint(command.label, command.address))
        address_id = AddressId(self.ids.new())
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, SavedAddress)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            # Two entries added at once would both count the same book.
            if await uow.profiles.lock(user_id) is None:
                raise session_over()
            if not await uow.addresses.add(user_id, address_id, command.label, command.address, self.clock.now()):
                raise address_limit_exceeded()
            saved = await uow.addresses.find(user_id, address_id)
            if saved is None:
                raise RuntimeError("an address just added is gone")
            await uow.requests.answer(key, saved)
            await uow.commit()
        return Answer(saved)
