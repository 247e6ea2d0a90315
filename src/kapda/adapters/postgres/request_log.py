"""The request log in PostgreSQL."""

from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.json_columns import plain_uuid
from kapda.adapters.postgres.writes import Write
from kapda.domain.shared.request_log import EarlierRequest, RequestKey

T = TypeVar("T")

# A twin's claim waits here for the first one's transaction to end. There is a row of `claimed` for the first one only, so
# what else a statement does behind its claim reads from that.
CLAIMED = """
    claimed AS (
        INSERT INTO request_log (scope, method, request_id, fingerprint, resource_id)
        VALUES (:scope, :method, :request_id, :fingerprint, :resource_id)
        ON CONFLICT DO NOTHING
        RETURNING true AS first
    )
"""
_CLAIM = text(f"WITH {CLAIMED} SELECT first FROM claimed")  # noqa: S608  (constants only)
_EARLIER = text("""
    SELECT fingerprint, resource_id, answer FROM request_log
    WHERE scope = :scope AND method = :method AND request_id = :request_id
""")
_REBIND = text("""
    UPDATE request_log SET resource_id = :resource_id
    WHERE scope = :scope AND method = :method AND request_id = :request_id
""")
ANSWERED = """
    answered AS (
        UPDATE request_log SET answer = :answer
        WHERE scope = :scope AND method = :method AND request_id = :request_id AND answer IS NULL
            AND {condition}
    )
"""
_ANSWER = Write(ANSWERED.format(condition="true"))


class PostgresRequestLog:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(
        self, key: RequestKey, answer_type: type[T], resource_id: UUID | None = None
    ) -> EarlierRequest[T] | None:
        """See the port."""
        if await self._connection.scalar(_CLAIM, claim_values(key, resource_id)):
            return None
        return await self.earlier(key, answer_type)

    async def earlier(self, key: RequestKey, answer_type: type[T]) -> EarlierRequest[T]:
        """The request that was there when `key` was claimed in vain."""
        row = (await self._connection.execute(_EARLIER, _names(key))).one()
        answer = msgspec.json.decode(row.answer, type=answer_type) if row.answer is not None else None
        earlier = EarlierRequest(row.fingerprint, row.resource_id, answer)
        earlier.check_same_body(key)
        return earlier

    async def rebind(self, key: RequestKey, resource_id: UUID) -> None:
        """See the port."""
        await self._connection.execute(_REBIND, _names(key) | {"resource_id": resource_id})

    async def answer(self, key: RequestKey, answer: object) -> None:
        """See the port."""
        await self._connection.write(_ANSWER, answer_values(key, answer))


def claim_values(key: RequestKey, resource_id: UUID | None = None) -> dict[str, Any]:
    """What CLAIMED is bound to."""
    return _names(key) | {"fingerprint": key.fingerprint, "resource_id": resource_id}


def answer_values(key: RequestKey, answer: object) -> dict[str, Any]:
    """What ANSWERED is bound to."""
    return _names(key) | {"answer": msgspec.json.encode(answer, enc_hook=plain_uuid)}


def _names(key: RequestKey) -> dict[str, Any]:
    return {"scope": key.scope, "method": key.method, "request_id": key.request_id}
