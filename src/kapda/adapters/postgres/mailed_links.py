"""Mailed links in PostgreSQL."""

from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.shared.ids import LinkId, UserId

_END = text("""
    UPDATE mailed_links SET closed_at = :at WHERE user_id = :user_id AND purpose = :purpose AND closed_at IS NULL
""")
_ADD = text("""
    INSERT INTO mailed_links (id, user_id, purpose, email_key, digest, created_at, expires_at)
    VALUES (:id, :user_id, :purpose, :email_key, :digest, :created_at, :expires_at)
""")
_FIND = text("""
    SELECT id, user_id, purpose, email_key, digest, created_at, expires_at, closed_at FROM mailed_links WHERE id = :id
""")
# One statement decides: of many callers the first changes the row, and the others find it closed.
_USE = text("""
    UPDATE mailed_links SET closed_at = :at
    WHERE id = :id AND digest = :digest AND purpose = :purpose AND closed_at IS NULL AND expires_at > :at
    RETURNING true
""")
_MADE_SINCE = text("""
    SELECT count(*) FROM mailed_links WHERE user_id = :user_id AND purpose = :purpose AND created_at >= :since
""")


class PostgresMailedLinks:
    """Mailed links in the transaction of a connection. See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, link: MailedLink) -> None:
        """See the port."""
        await self.end(link.user_id, link.purpose, link.created_at)
        await self._connection.execute(
            _ADD,
            {
                "id": link.id,
                "user_id": link.user_id,
                "purpose": link.purpose.value,
                "email_key": link.email_key,
                "digest": link.digest,
                "created_at": link.created_at,
                "expires_at": link.expires_at,
            },
        )

    async def find(self, link_id: LinkId) -> MailedLink | None:
        """See the port."""
        row = (await self._connection.execute(_FIND, {"id": link_id})).one_or_none()
        if row is None:
            return None
        return MailedLink(
            id=LinkId(row.id),
            user_id=UserId(row.user_id),
            purpose=LinkPurpose(row.purpose),
            email_key=row.email_key,
            digest=row.digest,
            created_at=row.created_at,
            expires_at=row.expires_at,
            closed_at=row.closed_at,
        )

    async def use(self, token: LinkToken, purpose: LinkPurpose, at: datetime) -> bool:
        """See the port."""
        values = {"id": token.link_id, "digest": token.digest, "purpose": purpose.value, "at": at}
        return bool(await self._connection.scalar(_USE, values))

    async def end(self, user_id: UserId, purpose: LinkPurpose, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(_END, {"user_id": user_id, "purpose": purpose.value, "at": at})

    async def made_since(self, user_id: UserId, purpose: LinkPurpose, since: datetime) -> int:
        """See the port."""
        values = {"user_id": user_id, "purpose": purpose.value, "since": since}
        return int(await self._connection.scalar(_MADE_SINCE, values) or 0)
