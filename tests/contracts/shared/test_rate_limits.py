"""Calls counted as the port promises: in memory, in Valkey, and in a process that cannot reach it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.rate_limits import RedisRateLimits
from kapda.entrypoints.grpc.rates import RateLimits
from tests.fakes.rate_limits import CountedCalls
from tests.waiting import PATIENCE_SECONDS

ROOM = {"few": 5, "many": 200}


@pytest.fixture(params=["in_memory", "in_valkey", "without_valkey"])
def limits(request: pytest.FixtureRequest) -> RateLimits:
    chosen: RateLimits = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory() -> CountedCalls:
    return CountedCalls(dict(ROOM))


@pytest.fixture
async def client() -> AsyncIterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as valkey:
        client = make_client(valkey.url(), timeout=PATIENCE_SECONDS)
        yield client
        await client.aclose()


def _in(client: Redis) -> RedisRateLimits:
    return RedisRateLimits(client, {bucket: f"{room} per hour" for bucket, room in ROOM.items()})


@pytest.fixture
def in_valkey(client: Redis) -> RedisRateLimits:
    return _in(client)


@pytest.fixture
async def without_valkey() -> AsyncIterator[RedisRateLimits]:
    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as valkey:
        gone = make_client(valkey.url())
    yield _in(gone)
    await gone.aclose()


async def served(limits: RateLimits, times: int, bucket: str, key: str = "asha") -> int:
    return sum([await limits.take(bucket, key) is None for _ in range(times)])


@pytest.mark.parametrize("bucket", ROOM)
async def test_so_many_calls_as_fit_are_served_and_the_next_is_told_how_long_to_wait(
    limits: RateLimits, bucket: str
) -> None:
    assert await served(limits, ROOM[bucket], bucket) == ROOM[bucket]
    wait = await limits.take(bucket, "asha")
    assert wait is not None
    assert 0 < wait <= 3_600
    assert await served(limits, 10, bucket) == 0


@pytest.mark.parametrize("bucket", ROOM)
async def test_callers_at_once_are_served_no_more_often_than_one_after_the_other(
    limits: RateLimits, bucket: str
) -> None:
    waits = await asyncio.gather(*(limits.take(bucket, "asha") for _ in range(2 * ROOM[bucket])))
    assert waits.count(None) == ROOM[bucket]


async def test_nobody_spends_what_is_anothers_or_of_another_bucket(limits: RateLimits) -> None:
    await served(limits, 20, "few")
    assert await served(limits, 5, "few", "binod") == 5
    assert await served(limits, 20, "many") == 20


@pytest.mark.parametrize("bucket", ROOM)
async def test_what_is_known_to_be_spent_is_told_without_counting(limits: RateLimits, bucket: str) -> None:
    assert [limits.spent(bucket, "asha") for _ in range(1_000)] == [None] * 1_000
    assert await served(limits, ROOM[bucket], bucket) == ROOM[bucket]
    assert await limits.take(bucket, "asha") is not None
    wait = limits.spent(bucket, "asha")
    assert wait is not None
    assert 0 < wait <= 3_600
    assert limits.spent(bucket, "binod") is None
