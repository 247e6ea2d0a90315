"""In-memory stand-ins for the ports of profiles and address books. The contract suite holds them to what PostgreSQL does."""

import json
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime

from kapda.domain.identity.address_book import MAX_ADDRESSES, Label, SavedAddress
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.user import DisplayName, EmailAddress, UserStatus
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import AddressId, UserId
from tests.fakes.identity import IdentityTables, InMemoryIdentityUnitOfWork
from tests.fakes.requests_and_events import InMemoryRequestLog
from tests.fakes.tables import Tables


@dataclass
class AddressRow:
    """An entry, and when it was preferred last."""

    saved: SavedAddress
    preferred_at: datetime | None = None


@dataclass
class ProfileTables(IdentityTables):
    """Identity's tables, what users tell of themselves, and what is under way for them elsewhere."""

    numbers: dict[UserId, tuple[PhoneNumber | None, int]] = field(default_factory=dict)
    addresses: dict[UserId, dict[AddressId, AddressRow]] = field(default_factory=dict)
    business: dict[UserId, OpenBusiness] = field(default_factory=dict)
    shared: Tables = field(default_factory=Tables)


@dataclass
class InMemoryProfiles:
    """Profiles of an open unit of work."""

    tables: ProfileTables

    async def find(self, user_id: UserId) -> Profile | None:
        user = self.tables.users.get(user_id)
        if user is None or user.status is UserStatus.DELETED:
            return None
        phone, version = self.tables.numbers.get(user_id, (None, 1))
        return Profile(user_id, user.email, user.display_name, phone, version, user.created_at, user.email_confirmed_at)

    async def lock(self, user_id: UserId) -> Profile | None:
        return await self.find(user_id)

    async def save(self, profile: Profile, at: datetime) -> None:
        self.tables.users[profile.user_id].display_name = profile.display_name
        self.tables.users[profile.user_id].updated_at = at
        self.tables.numbers[profile.user_id] = (profile.phone, profile.version)


@dataclass
class InMemoryAddresses:
    """Addresses of an open unit of work."""

    tables: ProfileTables

    async def all_of(self, user_id: UserId) -> tuple[SavedAddress, ...]:
        rows = self._rows(user_id).values()
        # A stable sort by the second key first: the preferred one, then the newest.
        newest = sorted(rows, key=lambda row: (row.saved.created_at, row.saved.id), reverse=True)
        return tuple(sorted((self._shown(user_id, row) for row in newest), key=lambda saved: not saved.preferred))

    async def find(self, user_id: UserId, address_id: AddressId) -> SavedAddress | None:
        row = self._rows(user_id).get(address_id)
        return None if row is None else self._shown(user_id, row)

    async def add(self, user_id: UserId, address_id: AddressId, label: Label, address: Address, at: datetime) -> bool:
        rows = self._rows(user_id)
        if len(rows) >= MAX_ADDRESSES:
            return False
        rows[address_id] = AddressRow(SavedAddress(address_id, label, address, False, 1, at))
        return True

    async def update(
        self, user_id: UserId, address_id: AddressId, version: int, label: Label, address: Address
    ) -> bool:
        row = self._rows(user_id).get(address_id)
        if row is None or row.saved.version != version:
            return False
        row.saved = replace(row.saved, label=label, address=address, version=version + 1)
        return True

    async def prefer(self, user_id: UserId, address_id: AddressId, at: datetime) -> bool:
        row = self._rows(user_id).get(address_id)
        if row is None:
            return False
        row.preferred_at = at
        return True

    async def remove(self, user_id: UserId, address_id: AddressId) -> bool:
        return self._rows(user_id).pop(address_id, None) is not None

    def _rows(self, user_id: UserId) -> dict[AddressId, AddressRow]:
        return self.tables.addresses.setdefault(user_id, {})

    def _shown(self, user_id: UserId, row: AddressRow) -> SavedAddress:
        rows = self._rows(user_id).values()
        chosen = [other for other in rows if other.preferred_at is not None]
        first = (
            max(chosen, key=lambda other: other.preferred_at or other.saved.created_at)
            if chosen
            else min(rows, key=lambda other: (other.saved.created_at, other.saved.id))
        )
        return replace(row.saved, preferred=row is first)


@dataclass
class InMemoryPersonalData:
    """PersonalData of an open unit of work, as far as identity's own tables go."""

    tables: ProfileTables

    async def export(self, user_id: UserId) -> str:
        user = self.tables.users[user_id]
        confirmed = user.email_confirmed_at
        account = {
            "email": user.email.text,
            "display_name": user.display_name.text,
            "email_confirmed_at": None if confirmed is None else confirmed.isoformat(),
        }
        return json.dumps({"account": account})

    async def open_business(self, user_id: UserId) -> OpenBusiness:
        return self.tables.business.get(user_id, OpenBusiness(0, 0, 0))

    async def erase(self, user_id: UserId, at: datetime) -> None:
        self.tables.addresses.pop(user_id, None)
        self.tables.numbers.pop(user_id, None)
        user = self.tables.users[user_id]
        user.email = EmailAddress(f"{user_id}@deleted.invalid")
        user.display_name = DisplayName("Deleted account")
        user.password_hash, user.status, user.updated_at = "", UserStatus.DELETED, at
        self.tables.audit[:] = [
            replace(entry, traces={}) if entry.subject_id == user_id else entry for entry in self.tables.audit
        ]


class InMemoryProfileUnitOfWork(InMemoryIdentityUnitOfWork):
    """A ProfileUnitOfWork over a copy of the tables, which a commit puts in their place."""

    def __init__(self, tables: ProfileTables) -> None:
        super().__init__(tables)
        self._profile_tables = tables

    @property
    def _copy(self) -> ProfileTables:
        assert isinstance(self._working, ProfileTables)
        return self._working

    @property
    def requests(self) -> InMemoryRequestLog:
        return InMemoryRequestLog(self._copy.shared)

    @property
    def profiles(self) -> InMemoryProfiles:
        return InMemoryProfiles(self._copy)

    @property
    def addresses(self) -> InMemoryAddresses:
        return InMemoryAddresses(self._copy)

    @property
    def personal_data(self) -> InMemoryPersonalData:
        return InMemoryPersonalData(self._copy)

    async def commit(self) -> None:
        await super().commit()
        kept = deepcopy(self._copy)
        self._profile_tables.numbers, self._profile_tables.addresses = kept.numbers, kept.addresses
        self._profile_tables.shared = kept.shared


@dataclass
class ListedPhoneNumbers:
    """PhoneNumbers that gives out all but the ones it is told to refuse."""

    refused: frozenset[str] = frozenset({"+910000000000"})

    def is_given_out(self, phone: PhoneNumber) -> bool:
        return phone.text not in self.refused
