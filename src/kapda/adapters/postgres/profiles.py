"""Profiles and address books in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.json_columns import address_json, to_address
from kapda.domain.identity.address_book import MAX_ADDRESSES, Label, SavedAddress
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import AddressId, UserId

_PROFILE = """
    SELECT id, email, display_name, phone, profile_version, created_at, email_confirmed_at FROM users
    WHERE id = :user_id AND status <> 'deleted'
"""
_FIND = text(_PROFILE)
_LOCK = text(f"{_PROFILE} FOR NO KEY UPDATE")
_SAVE = text("""
    UPDATE users SET display_name = :display_name, phone = :phone, profile_version = :version, updated_at = :at
    WHERE id = :user_id
""")

# The preferred entry is the one preferred last; where none ever was, the oldest. One entry is asked for as the whole book
# is: twenty rows at most, and which of them is preferred depends on all.
_BOOK = text("""
    SELECT id, label, address, version, created_at,
        id = first_value(id) OVER (ORDER BY preferred_at DESC NULLS LAST, created_at, id) AS preferred
    FROM user_addresses WHERE user_id = :user_id
    ORDER BY preferred DESC, created_at DESC, id DESC
""")
_ADD = text("""
    INSERT INTO user_addresses (id, user_id, label, address, created_at)
    SELECT :id, :user_id, :label, CAST(:address AS jsonb), :at
    WHERE (SELECT count(*) FROM user_addresses WHERE user_id = :user_id) < :limit
    RETURNING true
""")
_UPDATE = text("""
    UPDATE user_addresses SET label = :label, address = CAST(:address AS jsonb), version = version + 1
    WHERE user_id = :user_id AND id = :id AND version = :version
    RETURNING true
""")
_PREFER = text("""
    UPDATE user_addresses SET preferred_at = :at WHERE user_id = :user_id AND id = :id RETURNING true
""")
_REMOVE = text("DELETE FROM user_addresses WHERE user_id = :user_id AND id = :id RETURNING true")


class PostgresProfiles:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, user_id: UserId) -> Profile | None:
        """See the port."""
        return _profile((await self._connection.execute(_FIND, {"user_id": user_id})).one_or_none())

    async def lock(self, user_id: UserId) -> Profile | None:
        """See the port."""
        return _profile((await self._connection.execute(_LOCK, {"user_id": user_id})).one_or_none())

    async def save(self, profile: Profile, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _SAVE,
            {
                "user_id": profile.user_id,
                "display_name": profile.display_name.text,
                "phone": None if profile.phone is None else profile.phone.text,
                "version": profile.version,
                "at": at,
            },
        )


class PostgresAddresses:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all_of(self, user_id: UserId) -> tuple[SavedAddress, ...]:
        """See the port."""
        return tuple(_saved(row) for row in await self._connection.execute(_BOOK, {"user_id": user_id}))

    async def find(self, user_id: UserId, address_id: AddressId) -> SavedAddress | None:
        """See the port."""
        return next((saved for saved in await self.all_of(user_id) if saved.id == address_id), None)

    async def add(self, user_id: UserId, address_id: AddressId, label: Label, address: Address, at: datetime) -> bool:
        """See the port."""
        values = _values(user_id, address_id, label, address) | {"at": at, "limit": MAX_ADDRESSES}
        return bool(await self._connection.scalar(_ADD, values))

    async def update(
        self, user_id: UserId, address_id: AddressId, version: int, label: Label, address: Address
    ) -> bool:
        """See the port."""
        values = _values(user_id, address_id, label, address) | {"version": version}
        return bool(await self._connection.scalar(_UPDATE, values))

    async def prefer(self, user_id: UserId, address_id: AddressId, at: datetime) -> bool:
        """See the port."""
        return bool(await self._connection.scalar(_PREFER, {"user_id": user_id, "id": address_id, "at": at}))

    async def remove(self, user_id: UserId, address_id: AddressId) -> bool:
        """See the port."""
        return bool(await self._connection.scalar(_REMOVE, {"user_id": user_id, "id": address_id}))


def _values(user_id: UserId, address_id: AddressId, label: Label, address: Address) -> dict[str, Any]:
    return {"user_id": user_id, "id": address_id, "label": label.text, "address": address_json(address)}


def _profile(row: Row | None) -> Profile | None:
    if row is None:
        return None
    return Profile(
        user_id=UserId(row.id),
        email=EmailAddress(row.email),
        display_name=DisplayName(row.display_name),
        phone=None if row.phone is None else PhoneNumber(row.phone),
        version=row.profile_version,
        created_at=row.created_at,
        email_confirmed_at=row.email_confirmed_at,
    )


def _saved(row: Row) -> SavedAddress:
    return SavedAddress(
        id=AddressId(row.id),
        label=Label(row.label),
        address=to_address(row.address),
        preferred=row.preferred,
        version=row.version,
        created_at=row.created_at,
    )
