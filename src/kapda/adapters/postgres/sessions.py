"""Sessions and their refresh tokens in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import TextClause, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.connection import LOST, Connection, Row
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.refresh import RefreshToken
from kapda.domain.identity.session import REVOCATION_MEMORY, Contact, Session
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import SessionId, UserId
from kapda.domain.shared.pages import Page, PageRequest

# When a database that is starting again has probably started.
RETRY_AFTER_SECONDS = 1.0

_ADD = text("""
    INSERT INTO sessions (id, user_id, created_at, expires_at, revoked_at, begun_network, begun_agent, refreshed_at,
        refreshed_network, refreshed_agent)
    VALUES (:id, :user_id, :created_at, :expires_at, :revoked_at, :begun_network, :begun_agent, :refreshed_at,
        :refreshed_network, :refreshed_agent)
""")
_SESSION = """
    SELECT id, user_id, created_at, expires_at, revoked_at, begun_network, begun_agent, refreshed_at, refreshed_network,
        refreshed_agent
    FROM sessions
"""
_FIND = text(f"{_SESSION} WHERE id = :id")
_LOCK = text(f"{_SESSION} WHERE id = :id FOR NO KEY UPDATE")
# A token never changes its session, so the look for it needs no lock.
_LOCK_BY_TOKEN = text(f"""
    {_SESSION} WHERE id = (SELECT session_id FROM refresh_tokens WHERE digest = :digest) FOR NO KEY UPDATE
""")  # noqa: S608  (constants only)
# Ids grow with time.
_LIST_LIVING = text(f"""
    {_SESSION} WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :at
        AND id < coalesce(CAST(:before AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ORDER BY id DESC LIMIT :limit
""")
_SAVE = text("""
    UPDATE sessions
    SET expires_at = :expires_at, revoked_at = :revoked_at, refreshed_at = :refreshed_at,
        refreshed_network = :refreshed_network, refreshed_agent = :refreshed_agent
    WHERE id = :id
""")
# Rows are locked in order first, so that two who end one user's sessions never wait for each other in a ring. Those that
# ended of late are among them, also when they ended while this waited, and keep their end.
_END_ALL = text("""
    WITH of_user AS (
        SELECT id FROM sessions
        WHERE user_id = :user_id AND id IS DISTINCT FROM CAST(:except_session AS uuid)
            AND (revoked_at >= :lately OR revoked_at IS NULL AND expires_at > :at)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE sessions SET revoked_at = coalesce(revoked_at, greatest(:at, created_at)) FROM of_user
    WHERE sessions.id = of_user.id
    RETURNING sessions.id
""")
_ENDED_LATELY = text("SELECT id FROM sessions WHERE user_id = :user_id AND revoked_at >= :lately")
_REVOKED_SINCE = text("SELECT id FROM sessions WHERE revoked_at >= :at")

_ADD_TOKEN = text("""
    INSERT INTO refresh_tokens (digest, session_id, issued_at, expires_at, used_at, successors)
    VALUES (:digest, :session_id, :issued_at, :expires_at, :used_at, :successors)
""")
_FIND_TOKEN = text("""
    SELECT digest, session_id, issued_at, expires_at, used_at, successors FROM refresh_tokens WHERE digest = :digest
""")
_ISSUED_SINCE = text("SELECT count(*) FROM refresh_tokens WHERE session_id = :session_id AND issued_at > :since")
_SAVE_TOKEN = text("UPDATE refresh_tokens SET used_at = :used_at, successors = :successors WHERE digest = :digest")

# Refused connections are OSErrors; a server that is starting or stopping refuses in its own words. SQLAlchemy's
# own error is that of a pool with none to give.
_DATABASE_FAILURES = (SQLAlchemyError, PostgresError, InterfaceError, InternalClientError, OSError)


class PostgresSessions:
    """Sessions in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Insert the session."""
        values = {
            "user_id": session.user_id,
            "created_at": session.created_at,
            "begun_network": session.begun_from.network.text,
            "begun_agent": session.begun_from.user_agent,
        }
        await self._connection.execute(_ADD, values | _changing_values(session))

    async def lock(self, session_id: SessionId) -> Session | None:
        """The session, its row locked, or None."""
        return _session((await self._connection.execute(_LOCK, {"id": session_id})).one_or_none())

    async def lock_by_refresh_token(self, digest: bytes) -> Session | None:
        """The session of a refresh token, its row locked, or None."""
        return _session((await self._connection.execute(_LOCK_BY_TOKEN, {"digest": digest})).one_or_none())

    async def save(self, session: Session) -> None:
        """Update the session."""
        await self._connection.execute(_SAVE, _changing_values(session))

    async def list_living(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        """A page of the user's living sessions."""
        before = UUID(page.cursor[0]) if page.cursor else None
        values = {"user_id": user_id, "at": at, "before": before, "limit": page.size + 1}
        rows = await self._connection.execute(_LIST_LIVING, values)
        return Page.cut([_made(row) for row in rows], page, lambda session: (str(session.id),))

    async def end_all(
        self, user_id: UserId, at: datetime, except_session: SessionId | None = None
    ) -> Collection[SessionId]:
        """Revoke the user's living sessions; these, and those that ended within the memory of revocations."""
        values = {"user_id": user_id, "at": at, "lately": at - REVOCATION_MEMORY, "except_session": except_session}
        return [SessionId(session_id) for session_id in await self._connection.scalars(_END_ALL, values)]

    async def ended_lately(self, user_id: UserId, at: datetime) -> Collection[SessionId]:
        """The user's sessions that ended within the memory of revocations."""
        values = {"user_id": user_id, "lately": at - REVOCATION_MEMORY}
        return [SessionId(session_id) for session_id in await self._connection.scalars(_ENDED_LATELY, values)]


class PostgresRefreshTokens:
    """Refresh tokens in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, token: RefreshToken) -> None:
        """Insert the token."""
        values = {"session_id": token.session_id, "issued_at": token.issued_at, "expires_at": token.expires_at}
        await self._connection.execute(_ADD_TOKEN, values | _use_values(token))

    async def find(self, digest: bytes) -> RefreshToken | None:
        """The token, or None."""
        row = (await self._connection.execute(_FIND_TOKEN, {"digest": digest})).one_or_none()
        if row is None:
            return None
        return RefreshToken(
            row.digest, SessionId(row.session_id), row.issued_at, row.expires_at, row.used_at, row.successors
        )

    async def issued_since(self, session_id: SessionId, since: datetime) -> int:
        """How many of the session's tokens are younger."""
        return int(await self._connection.scalar(_ISSUED_SINCE, {"session_id": session_id, "since": since}))

    async def save(self, token: RefreshToken) -> None:
        """Update the token's use."""
        await self._connection.execute(_SAVE_TOKEN, _use_values(token))


class PostgresSessionReader:
    """Session rows as committed, each read a statement of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use `engine`'s connections, without a transaction around a read."""
        self._engine = engine

    async def find(self, session_id: SessionId) -> Session | None:
        """The session, or None."""
        rows = await self._read(_FIND, {"id": session_id})
        return _session(rows[0]) if rows else None

    async def revoked_since(self, at: datetime) -> Collection[SessionId]:
        """Every session revoked at or after that instant."""
        return [SessionId(row.id) for row in await self._read(_REVOKED_SINCE, {"at": at})]

    async def _read(self, statement: TextClause, values: Mapping[str, object]) -> Sequence[Row]:
        try:
            try:
                return await self._read_once(statement, values)
            except LOST:
                # A pooled connection that the server had closed; the pool has noticed by now that others are.
                return await self._read_once(statement, values)
        except _DATABASE_FAILURES as error:
            raise UnavailableError(
                Reason.DATABASE_UNAVAILABLE, "the database cannot answer now", retry_after=RETRY_AFTER_SECONDS
            ) from error

    async def _read_once(self, statement: TextClause, values: Mapping[str, object]) -> Sequence[Row]:
        async with Connection(self._engine, autocommit=True) as connection:
            return (await connection.execute(statement, values)).all()


def _changing_values(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "expires_at": session.expires_at,
        "revoked_at": session.revoked_at,
        "refreshed_at": session.refreshed_at,
        "refreshed_network": session.refreshed_from.network.text if session.refreshed_at else None,
        "refreshed_agent": session.refreshed_from.user_agent,
    }


def _use_values(token: RefreshToken) -> dict[str, object]:
    return {"digest": token.digest, "used_at": token.used_at, "successors": token.successors}


def _session(row: Row | None) -> Session | None:
    return None if row is None else _made(row)


def _made(row: Row) -> Session:
    return Session(
        id=SessionId(row.id),
        user_id=UserId(row.user_id),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        begun_from=_contact(row.begun_network, row.begun_agent),
        refreshed_at=row.refreshed_at,
        refreshed_from=_contact(row.refreshed_network, row.refreshed_agent),
    )


def _contact(network: str | None, user_agent: str | None) -> Contact:
    """From where a session began or was refreshed; rows older than that memory, and never refreshed ones, have none."""
    return Contact(ClientNetwork.UNKNOWN if network is None else ClientNetwork(network), user_agent)
