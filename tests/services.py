"""The real services that tests ask for: one PostgreSQL and one Valkey a run, a database of its own for each test.

A service that does not start fails the tests that need it; nothing is skipped.
"""

import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.valkey import EmbeddedValkey

_TEMPLATE = "kapda_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server with durable settings, shared by the run. A test that kills one starts its own."""
    with (
        tempfile.TemporaryDirectory(prefix="kapda-postgres-") as folder,
        EmbeddedPostgres(Path(folder), settings={"max_connections": "300"}) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedValkey]:
    """A Valkey server shared by the run. A test that kills one starts its own."""
    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database that the project's migrations were run on, once."""
    # Imported here so that tests without a database do not depend on the schema.
    from kapda.adapters.postgres.schema import upgrade  # noqa: PLC0415

    await _execute(postgres_server, f"CREATE DATABASE {_TEMPLATE}")
    await upgrade(postgres_server.url(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
async def database_url(postgres_server: EmbeddedPostgres, postgres_template: str) -> AsyncIterator[str]:
    """The address (`postgresql://...`) of a migrated database that belongs to this test alone."""
    name = f"test_{next(_numbers)}"
    # Copying through the WAL takes half the time of FILE_COPY, whose two checkpoints wait for the disk.
    await _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY WAL_LOG")
    yield postgres_server.url(name)
    await _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(valkey_server: EmbeddedValkey) -> str:
    """The address (`redis://...`) of an empty Valkey."""
    with redis.Redis.from_url(valkey_server.url()) as client:
        client.flushall()
    return valkey_server.url()


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
