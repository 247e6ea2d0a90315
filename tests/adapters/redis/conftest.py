"""A server of each test's own, which it may hang, flush, kill and restart, and a client of it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.client import make_client


@pytest.fixture
def valkey() -> Iterator[EmbeddedValkey]:
    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as server:
        yield server


@pytest.fixture
async def client(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = make_client(valkey.url())
    yield client
    await client.aclose()
