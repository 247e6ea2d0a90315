"""The shop as a fixture: one a module, because the tests of a module need not notice each other."""

import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.valkey import EmbeddedValkey
from tests.shop.shop import Shop, open_shop

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def shop(
    postgres_server: EmbeddedPostgres, postgres_template: str, valkey_server: EmbeddedValkey
) -> AsyncIterator[Shop]:
    """Three processes' worth of wiring on one database, every connection open already."""
    name = f"shop_{next(_numbers)}"
    admin = await asyncpg.connect(postgres_server.url())
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY WAL_LOG")
        async with open_shop(postgres_server.url(name), valkey_server.url(), processes=3) as opened:
            await opened.warm()
            yield opened
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
