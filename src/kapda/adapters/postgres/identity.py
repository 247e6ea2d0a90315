"""Accounts and sessions in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kapda.domain.identity.session import Session
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User
from kapda.domain.shared.errors import AlreadyExistsError, Reason, UnavailableError
from kapda.domain.shared.ids import DesignerId, SessionId, UserId

# When a database that is starting again has probably started.
RETRY_AFTER_SECONDS = 1.0

# An address that is taken is an answer, not a failed transaction: so it is asked for, not caught.
_ADD_USER = text("""
    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
    VALUES (:id, :email, :email_key, :display_name, :password_hash, :role, :created_at, :updated_at)
    ON CONFLICT ON CONSTRAINT users_email_key_unique DO NOTHING
    RETURNING id
""")
_USER = "SELECT id, email, display_name, role, password_hash, created_at, updated_at FROM users"
_FIND_USER = text(f"{_USER} WHERE id = :id")
_FIND_USER_BY_EMAIL = text(f"{_USER} WHERE email_key = :email_key")
_LOCK_USER = text(f"{_USER} WHERE id = :id FOR NO KEY UPDATE")
_SAVE_USER = text("""
    UPDATE users
    SET email = :email, email_key = :email_key, display_name = :display_name, password_hash = :password_hash,
        role = :role, updated_at = :updated_at
    WHERE id = :id
""")

_ADD_SESSION = text("""
    INSERT INTO sessions (id, user_id, created_at, expires_at, revoked_at)
    VALUES (:id, :user_id, :created_at, :expires_at, :revoked_at)
""")
_SESSION = "SELECT id, user_id, created_at, expires_at, revoked_at FROM sessions"
_FIND_SESSION = text(f"{_SESSION} WHERE id = :id")
_LOCK_SESSION = text(f"{_SESSION} WHERE id = :id FOR NO KEY UPDATE")
_SAVE_SESSION = text("UPDATE sessions SET expires_at = :expires_at, revoked_at = :revoked_at WHERE id = :id")
_REVOKED_SINCE = text("SELECT id FROM sessions WHERE revoked_at >= :at")

# Refused connections are OSErrors; a server that is starting or stopping refuses in its own words, which SQLAlchemy
# passes on as they are.
_DATABASE_FAILURES = (SQLAlchemyError, PostgresError, InterfaceError, OSError)

_DESIGNERS_OF = text("SELECT designer_id FROM designer_members WHERE user_id = :user_id ORDER BY designer_id")


class PostgresUsers:
    """Users in the transaction of a connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user: User) -> None:
        """Insert the account. Raises AlreadyExistsError (EMAIL_TAKEN)."""
        result = await self._connection.execute(_ADD_USER, {**_user_values(user), "created_at": user.created_at})
        if result.first() is None:
            raise AlreadyExistsError(Reason.EMAIL_TAKEN, "the e-mail address has an account already")

    async def find(self, user_id: UserId) -> User | None:
        """The account, or None."""
        return _user((await self._connection.execute(_FIND_USER, {"id": user_id})).one_or_none())

    async def find_by_email(self, email: EmailAddress) -> User | None:
        """The account of the address in any spelling, or None."""
        result = await self._connection.execute(_FIND_USER_BY_EMAIL, {"email_key": email.key})
        return _user(result.one_or_none())

    async def lock(self, user_id: UserId) -> User | None:
        """The account, its row locked, or None."""
        return _user((await self._connection.execute(_LOCK_USER, {"id": user_id})).one_or_none())

    async def save(self, user: User) -> None:
        """Update the account."""
        await self._connection.execute(_SAVE_USER, _user_values(user))


class PostgresSessions:
    """Sessions in the transaction of a connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Insert the session."""
        await self._connection.execute(
            _ADD_SESSION,
            {
                "id": session.id,
                "user_id": session.user_id,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
                "revoked_at": session.revoked_at,
            },
        )

    async def lock(self, session_id: SessionId) -> Session | None:
        """The session, its row locked, or None."""
        return _session((await self._connection.execute(_LOCK_SESSION, {"id": session_id})).one_or_none())

    async def save(self, session: Session) -> None:
        """Update the session."""
        await self._connection.execute(
            _SAVE_SESSION, {"id": session.id, "expires_at": session.expires_at, "revoked_at": session.revoked_at}
        )


class PostgresDesignerMembership:
    """Who acts for which designer, in the transaction of a connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def designers_of(self, user_id: UserId) -> tuple[DesignerId, ...]:
        """The designers the user is a member of, in the order of their ids."""
        result = await self._connection.execute(_DESIGNERS_OF, {"user_id": user_id})
        return tuple(DesignerId(designer_id) for designer_id in result.scalars())


class PostgresSessionReader:
    """Session rows as committed, each read a statement of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use `engine`'s connections, without a transaction around a read."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def find(self, session_id: SessionId) -> Session | None:
        """The session, or None."""
        rows = await self._read(_FIND_SESSION, {"id": session_id})
        return _session(rows[0]) if rows else None

    async def revoked_since(self, at: datetime) -> Collection[SessionId]:
        """Every session revoked at or after that instant."""
        return [SessionId(row.id) for row in await self._read(_REVOKED_SINCE, {"at": at})]

    async def _read(self, statement: TextClause, values: Mapping[str, object]) -> Sequence[Row[tuple[object, ...]]]:
        try:
            try:
                return await self._read_once(statement, values)
            except DBAPIError as error:
                # A pooled connection that the server had closed; all like it are gone from the pool now.
                if not error.connection_invalidated:
                    raise
                return await self._read_once(statement, values)
        except _DATABASE_FAILURES as error:
            raise UnavailableError(
                Reason.DATABASE_UNAVAILABLE, "the database cannot answer now", retry_after=RETRY_AFTER_SECONDS
            ) from error

    async def _read_once(
        self, statement: TextClause, values: Mapping[str, object]
    ) -> Sequence[Row[tuple[object, ...]]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement, values)).all()


def _user_values(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email.text,
        "email_key": user.email.key,
        "display_name": user.display_name.text,
        "password_hash": user.password_hash,
        "role": user.role.value,
        "updated_at": user.updated_at,
    }


def _user(row: Row[tuple[object, ...]] | None) -> User | None:
    if row is None:
        return None
    return User(
        id=UserId(row.id),
        email=EmailAddress(row.email),
        display_name=DisplayName(row.display_name),
        role=Role(row.role),
        password_hash=row.password_hash,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _session(row: Row[tuple[object, ...]] | None) -> Session | None:
    if row is None:
        return None
    return Session(SessionId(row.id), UserId(row.user_id), row.created_at, row.expires_at, row.revoked_at)
