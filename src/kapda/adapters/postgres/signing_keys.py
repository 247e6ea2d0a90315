"""Signing keys and spent nonces in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.domain.identity.signing import SigningKey
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_proof import RequestProof, nonce_reused, signature_invalid

_ADD = text("INSERT INTO signing_keys (id, user_id, created_at) VALUES (:id, :user_id, :created_at)")
_KEY = "SELECT id, user_id, created_at, revoked_at FROM signing_keys"
_FIND = text(f"{_KEY} WHERE id = :id")
_LOCK = text(f"{_KEY} WHERE id = :id FOR NO KEY UPDATE")
_SAVE = text("UPDATE signing_keys SET revoked_at = :revoked_at WHERE id = :id")
_REVOKE_ALL = text("""
    WITH living AS (
        SELECT id FROM signing_keys WHERE user_id = :user_id AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE
    ), ended AS (
        UPDATE signing_keys k SET revoked_at = :at FROM living l WHERE k.id = l.id RETURNING k.id
    )
    SELECT count(*) FROM ended
""")
_HAS_ANY = text("SELECT EXISTS (SELECT FROM signing_keys WHERE user_id = :user_id)")
_LIST = text(f"""
    {_KEY} WHERE CAST(:before AS uuid) IS NULL OR id < :before
    ORDER BY id DESC LIMIT :limit
""")
# The lock makes whoever revokes the key wait for this transaction's end. A twin under the same nonce waits on the unique
# key until this transaction has committed or rolled back.
_SPEND = text("""
    INSERT INTO request_nonces (key_id, nonce, signed_at)
    SELECT id, :nonce, :signed_at FROM signing_keys WHERE id = :key_id AND revoked_at IS NULL FOR SHARE
    ON CONFLICT DO NOTHING
    RETURNING true
""")
_IS_SPENT = text("SELECT EXISTS (SELECT FROM request_nonces WHERE key_id = :key_id AND nonce = :nonce)")


class PostgresSigningKeys:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, key: SigningKey) -> None:
        """See the port."""
        values = {"id": key.id, "user_id": key.user_id, "created_at": key.created_at}
        await self._connection.execute(_ADD, values)

    async def find(self, key_id: SigningKeyId) -> SigningKey | None:
        """See the port."""
        return await self._one(_FIND, key_id)

    async def lock(self, key_id: SigningKeyId) -> SigningKey | None:
        """See the port."""
        return await self._one(_LOCK, key_id)

    async def save(self, key: SigningKey) -> None:
        """See the port."""
        await self._connection.execute(_SAVE, {"id": key.id, "revoked_at": key.revoked_at})

    async def revoke_all(self, user_id: UserId, at: datetime) -> int:
        """See the port."""
        return int(await self._connection.scalar(_REVOKE_ALL, {"user_id": user_id, "at": at}))

    async def has_any(self, user_id: UserId) -> bool:
        """See the port."""
        return bool(await self._connection.scalar(_HAS_ANY, {"user_id": user_id}))

    async def list(self, page: PageRequest) -> Page[SigningKey]:
        """See the port."""
        before = UUID(page.cursor[0]) if page.cursor else None
        rows = await self._connection.execute(_LIST, {"before": before, "limit": page.size + 1})
        return Page.cut([_key(row) for row in rows], page, lambda key: (str(key.id),))

    async def _one(self, statement: TextClause, key_id: SigningKeyId) -> SigningKey | None:
        row = (await self._connection.execute(statement, {"id": key_id})).one_or_none()
        return None if row is None else _key(row)


class PostgresNonces:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def spend(self, proof: RequestProof) -> None:
        """See the port."""
        names = {"key_id": proof.key_id, "nonce": proof.nonce}
        if await self._connection.scalar(_SPEND, names | {"signed_at": proof.signed_at}):
            return
        spent = await self._connection.scalar(_IS_SPENT, names)
        raise nonce_reused() if spent else signature_invalid()


def _key(row: Row) -> SigningKey:
    return SigningKey(SigningKeyId(row.id), UserId(row.user_id), row.created_at, row.revoked_at)
