"""Accounts in PostgreSQL, and who acts for which house."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row, Rows
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.errors import AlreadyExistsError, Reason
from kapda.domain.shared.ids import DesignerId, UserId

# An address that is taken is an answer, not a failed transaction: so it is asked for, not caught.
_ADD_USER = text("""
    INSERT INTO users (
        id, email, email_key, display_name, password_hash, role, status, email_confirmed_at, created_at, updated_at
    )
    VALUES (
        :id, :email, :email_key, :display_name, :password_hash, :role, :status, :email_confirmed_at, :created_at,
        :updated_at
    )
    ON CONFLICT ON CONSTRAINT users_email_key_unique DO NOTHING
    RETURNING id
""")
_USER = """
    SELECT id, email, display_name, role, status, email_confirmed_at, password_hash, created_at, updated_at FROM users
"""
_FIND_USER = text(f"{_USER} WHERE id = :id")
_FIND_USERS = text(f"{_USER} WHERE id = ANY (CAST(:ids AS uuid[]))")
_FIND_USER_BY_EMAIL = text(f"{_USER} WHERE email_key = :email_key")
_LOCK_USER = text(f"{_USER} WHERE id = :id FOR NO KEY UPDATE")
_LOCK_ACTIVE_ADMINS = text(
    "SELECT id FROM users WHERE role = 'admin' AND status = 'active' ORDER BY id FOR NO KEY UPDATE"
)
_SAVE_USER = text("""
    UPDATE users
    SET email = :email, email_key = :email_key, display_name = :display_name, password_hash = :password_hash,
        role = :role, status = :status, email_confirmed_at = :email_confirmed_at, updated_at = :updated_at
    WHERE id = :id
""")

_DESIGNERS_OF = text("SELECT designer_id FROM designer_members WHERE user_id = :user_id ORDER BY designer_id")
_ADD_MEMBER = text("""
    WITH house AS (SELECT id FROM designers WHERE id = :designer_id), added AS (
        INSERT INTO designer_members (designer_id, user_id, created_at) SELECT id, :user_id, :at FROM house
        ON CONFLICT ON CONSTRAINT designer_members_pkey DO NOTHING
    )
    SELECT true FROM house
""")
_REMOVE_MEMBER = text("""
    DELETE FROM designer_members WHERE designer_id = :designer_id AND user_id = :user_id RETURNING true
""")
_LEAVE_ALL = text("""
    WITH left_houses AS (DELETE FROM designer_members WHERE user_id = :user_id RETURNING designer_id)
    SELECT count(*) FROM left_houses
""")


class PostgresUsers:
    """Users in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, user: User) -> None:
        """Insert the account. Raises AlreadyExistsError (EMAIL_TAKEN)."""
        if not await self._connection.execute(_ADD_USER, {**_user_values(user), "created_at": user.created_at}):
            raise AlreadyExistsError(Reason.EMAIL_TAKEN, "the e-mail address has an account already")

    async def find(self, user_id: UserId) -> User | None:
        """The account, or None."""
        return _user_or_none(await self._connection.execute(_FIND_USER, {"id": user_id}))

    async def find_all(self, user_ids: Collection[UserId]) -> Collection[User]:
        """See the port."""
        return [_user(row) for row in await self._connection.execute(_FIND_USERS, {"ids": list(user_ids)})]

    async def find_by_email(self, email: EmailAddress) -> User | None:
        """The account of the address in any spelling, or None."""
        return _user_or_none(await self._connection.execute(_FIND_USER_BY_EMAIL, {"email_key": email.key}))

    async def lock(self, user_id: UserId) -> User | None:
        """The account, its row locked, or None."""
        return _user_or_none(await self._connection.execute(_LOCK_USER, {"id": user_id}))

    async def save(self, user: User) -> None:
        """Update the account."""
        await self._connection.execute(_SAVE_USER, _user_values(user))

    async def lock_active_admins(self) -> Collection[UserId]:
        """See the port."""
        return [UserId(user_id) for user_id in await self._connection.scalars(_LOCK_ACTIVE_ADMINS)]


class PostgresDesignerMembership:
    """Who acts for which designer, in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def designers_of(self, user_id: UserId) -> tuple[DesignerId, ...]:
        """The designers the user is a member of, in the order of their ids."""
        found = await self._connection.scalars(_DESIGNERS_OF, {"user_id": user_id})
        return tuple(DesignerId(designer_id) for designer_id in found)

    async def add(self, designer_id: DesignerId, user_id: UserId, at: datetime) -> bool:
        """Insert the membership, if it is not there; False where there is no such house."""
        values = {"designer_id": designer_id, "user_id": user_id, "at": at}
        return bool(await self._connection.scalar(_ADD_MEMBER, values))

    async def remove(self, designer_id: DesignerId, user_id: UserId) -> bool:
        """Delete the membership; whether it was there."""
        return bool(await self._connection.scalar(_REMOVE_MEMBER, {"designer_id": designer_id, "user_id": user_id}))

    async def remove_all(self, user_id: UserId) -> int:
        """Delete the user's memberships; how many there were."""
        return int(await self._connection.scalar(_LEAVE_ALL, {"user_id": user_id}))


def _user_values(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email.text,
        "email_key": user.email.key,
        "display_name": user.display_name.text,
        "password_hash": user.password_hash,
        "role": user.role.value,
        "status": user.status.value,
        "email_confirmed_at": user.email_confirmed_at,
        "updated_at": user.updated_at,
    }


def _user_or_none(rows: Rows) -> User | None:
    row = rows.one_or_none()
    return None if row is None else _user(row)


def _user(row: Row) -> User:
    return User(
        id=UserId(row.id),
        email=EmailAddress(row.email),
        display_name=DisplayName(row.display_name),
        role=Role(row.role),
        password_hash=row.password_hash,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=UserStatus(row.status),
        email_confirmed_at=row.email_confirmed_at,
    )
