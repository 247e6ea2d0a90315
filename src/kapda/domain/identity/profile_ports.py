"""What profiles, address books, exports and the end of an account need from outside."""

from datetime import datetime
from typing import Protocol

from kapda.domain.identity.address_book import Label, SavedAddress
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.profile import Profile
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import AddressId, UserId
from kapda.domain.shared.request_log import RequestLog


class PhoneNumbers(Protocol):
    """Knows the numbering plans of the world."""

    def is_given_out(self, phone: PhoneNumber) -> bool:
        """Whether the number's country gives out numbers like it."""
        ...


class Profiles(Protocol):
    """Profiles, inside a unit of work. Accounts that are deleted have none."""

    async def find(self, user_id: UserId) -> Profile | None:
        """The profile, or None."""
        ...

    async def lock(self, user_id: UserId) -> Profile | None:
        """The profile as it is now, or None; nobody else changes the account before this transaction ends."""
        ...

    async def save(self, profile: Profile, at: datetime) -> None:
        """Keep the name, the number and the version of a profile that was locked in this transaction."""
        ...


class Addresses(Protocol):
    """Address books, inside a unit of work. Everything is the named user's own: another's entry is none."""

    async def all_of(self, user_id: UserId) -> tuple[SavedAddress, ...]:
        """The whole book: the preferred entry first, then the newest."""
        ...

    async def find(self, user_id: UserId, address_id: AddressId) -> SavedAddress | None:
        """One entry, or None."""
        ...

    async def add(self, user_id: UserId, address_id: AddressId, label: Label, address: Address, at: datetime) -> bool:
        """Put an entry in; False where the book is full.

        Exact only while the caller has the account locked: two who count at once see the same book.
        """
        ...

    async def update(
        self, user_id: UserId, address_id: AddressId, version: int, label: Label, address: Address
    ) -> bool:
        """Replace label and address of the entry if its version is this one; whether it was."""
        ...

    async def prefer(self, user_id: UserId, address_id: AddressId, at: datetime) -> bool:
        """Prefer an entry to all others; whether there is one."""
        ...

    async def remove(self, user_id: UserId, address_id: AddressId) -> bool:
        """Take an entry out; whether there was one."""
        ...


class PersonalData(Protocol):
    """All that is kept about one person, across every context, inside a unit of work."""

    async def export(self, user_id: UserId) -> str:
        """Everything, as a JSON object. Nothing secret in it: no hash, no token's digest."""
        ...

    async def open_business(self, user_id: UserId) -> OpenBusiness:
        """What is under way and needs the person."""
        ...

    async def erase(self, user_id: UserId, at: datetime) -> None:
        """Make the account nobody's, and delete what names its owner, but for what tax law wants kept.

        The account's row stays for the orders that point to it: without name, address, number or password. Its sessions
        are the caller's to end first.
        """
        ...


class ProfileUnitOfWork(IdentityUnitOfWork, Protocol):
    """One transaction over an account and what its owner keeps with it."""

    @property
    def requests(self) -> RequestLog:
        """Claims and answers."""
        ...

    @property
    def profiles(self) -> Profiles:
        """Profiles."""
        ...

    @property
    def addresses(self) -> Addresses:
        """Address books."""
        ...

    @property
    def personal_data(self) -> PersonalData:
        """Everything about one person."""
        ...
