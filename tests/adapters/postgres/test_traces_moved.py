"""A database whose audit log still tells from where somebody called comes to keep that beside it."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.postgres.engine import driver_url
from kapda.adapters.postgres.schema import MIGRATIONS, upgrade

BEFORE = "0020"
SEEN = {"client_network": "203.0.113.0/24", "user_agent": "Kapda for Android"}


@pytest.fixture
async def database_of_before(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    admin = await asyncpg.connect(postgres_server.url())
    url = postgres_server.url("of_before")
    try:
        await admin.execute("CREATE DATABASE of_before")
        await _bring_to(url, BEFORE)
        yield url
        await admin.execute("DROP DATABASE of_before WITH (FORCE)")
    finally:
        await admin.close()


async def _bring_to(url: str, revision: str) -> None:
    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()

    engine = create_async_engine(driver_url(url))
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


async def _audited(connection: asyncpg.Connection, name: str, status: str, action: str) -> None:
    user = await connection.fetchval(
        """INSERT INTO users (id, email, email_key, display_name, password_hash, role, status, created_at, updated_at)
           VALUES (uuidv7(), $1, $1, $1, '', 'customer', $2, now(), now()) RETURNING id""",
        name,
        status,
    )
    await connection.execute(
        """INSERT INTO audit_entries
               (id, at, actor_kind, actor_id, action, subject_type, subject_id, reason, request_id, details)
           VALUES (uuidv7(), now(), 'user', $1, $2, 'user', $1, 'why', 'call', $3)""",
        user,
        action,
        json.dumps({"session_id": "one", **SEEN}),
    )


async def test_what_tells_from_where_somebody_called_moves_and_goes_where_the_account_has_gone(
    database_of_before: str,
) -> None:
    connection = await asyncpg.connect(database_of_before)
    try:
        await _audited(connection, "here", "active", "REFRESH_TOKEN_REUSED")
        await _audited(connection, "gone", "deleted", "REFRESH_TOKEN_REUSED")
        await upgrade(database_of_before)
        rows = await connection.fetch(
            """SELECT u.display_name AS of, e.details, t.traces, t.at = e.at AS then
               FROM audit_entries e JOIN users u ON u.id = e.subject_id LEFT JOIN audit_traces t ON t.entry_id = e.id
                   AND t.user_id = u.id
               ORDER BY 1"""
        )
        gone, here = rows
        assert (gone["of"], json.loads(gone["details"]), gone["traces"]) == ("gone", {"session_id": "one"}, None)
        assert (here["of"], json.loads(here["details"]), here["then"]) == ("here", {"session_id": "one"}, True)
        assert json.loads(here["traces"]) == SEEN
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE audit_entries SET reason = 'another'")
    finally:
        await connection.close()
