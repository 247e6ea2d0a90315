"""API keys in PostgreSQL, and the note of their last use."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.connection import BEHIND_CALLS_SECONDS, Connection, Row
from kapda.domain.identity.api_key import USE_NOTED_EVERY, ApiKey
from kapda.domain.identity.scope import Scope
from kapda.domain.shared.ids import ApiKeyId, DesignerId, UserId
from kapda.domain.shared.pages import Page, PageRequest

_ADD = text("""
    INSERT INTO api_keys (id, service_id, prefix, digest, scopes, designer_id, created_at, expires_at)
    VALUES (:id, :service_id, :prefix, :digest, :scopes, :designer_id, :created_at, :expires_at)
""")
_KEY = """
    SELECT k.id, k.service_id, u.display_name, k.prefix, k.digest, k.scopes, k.designer_id, k.created_at, k.expires_at,
        k.revoked_at, k.last_used_at, k.replaced_by
    FROM api_keys k JOIN users u ON u.id = k.service_id
"""
_FIND_BY_PREFIX = text(f"{_KEY} WHERE k.prefix = :prefix AND u.status = 'active'")
_LOCK = text(f"{_KEY} WHERE k.id = :id FOR NO KEY UPDATE OF k")
_SAVE = text("""
    UPDATE api_keys SET expires_at = :expires_at, revoked_at = :revoked_at, replaced_by = :replaced_by WHERE id = :id
""")
_LIST = text(f"""
    {_KEY} WHERE CAST(:before AS uuid) IS NULL OR k.id < :before
    ORDER BY k.id DESC LIMIT :limit
""")
# Several processes note the same minute: the first one's note is as good as any.
_NOTE = text("""
    UPDATE api_keys SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= :unless_since)
""")

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.api_keys")


class PostgresApiKeys:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, key: ApiKey) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "id": key.id,
                "service_id": key.service_id,
                "prefix": key.prefix,
                "digest": key.digest,
                "scopes": sorted(scope.value for scope in key.scopes),
                "designer_id": key.designer_id,
                "created_at": key.created_at,
                "expires_at": key.expires_at,
            },
        )

    async def find_by_prefix(self, prefix: str) -> ApiKey | None:
        """See the port."""
        return await self._one(_FIND_BY_PREFIX, {"prefix": prefix})

    async def lock(self, key_id: ApiKeyId) -> ApiKey | None:
        """See the port."""
        return await self._one(_LOCK, {"id": key_id})

    async def save(self, key: ApiKey) -> None:
        """See the port."""
        await self._connection.execute(
            _SAVE,
            {
                "id": key.id,
                "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
                "replaced_by": key.replaced_by,
            },
        )

    async def list(self, page: PageRequest) -> Page[ApiKey]:
        """See the port."""
        before = UUID(page.cursor[0]) if page.cursor else None
        rows = await self._connection.execute(_LIST, {"before": before, "limit": page.size + 1})
        return Page.cut([_key(row) for row in rows], page, lambda key: (str(key.id),))

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> ApiKey | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return None if row is None else _key(row)


class PostgresKeyUses:
    """KeyUses: one writer a process, behind the calls; what comes meanwhile is written next."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._seen: dict[ApiKeyId, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, key_id: ApiKeyId, at: datetime) -> None:
        """See the port."""
        self._seen[key_id] = at
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), name="note uses of API keys")

    async def aclose(self) -> None:
        """Wait for what is on its way; call it before the engine is disposed of."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._seen:
            key_id, at = self._seen.popitem()
            try:
                async with (
                    asyncio.timeout(BEHIND_CALLS_SECONDS),
                    Connection(self._engine, autocommit=True) as connection,
                ):
                    await connection.execute(_NOTE, {"id": key_id, "at": at, "unless_since": at - USE_NOTED_EVERY})
            except Exception as error:  # noqa: BLE001  (a lost note is made up for by the next call's)
                _log.warning("use of an API key not noted", type=type(error).__qualname__)


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=ApiKeyId(row.id),
        service_id=UserId(row.service_id),
        service_name=row.display_name,
        prefix=row.prefix,
        digest=row.digest,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        designer_id=DesignerId(row.designer_id) if row.designer_id is not None else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        replaced_by=ApiKeyId(row.replaced_by) if row.replaced_by is not None else None,
    )
