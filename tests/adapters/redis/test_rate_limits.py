"""Calls counted in Valkey, through several processes and without it."""

import asyncio
import os
import signal
import time

from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.rate_limits import RedisRateLimits

LIMITS = {"auth": "5 per 15 minutes", "caller": "200 per hour"}


async def served(limits: RedisRateLimits, times: int, bucket: str = "auth", key: str = "asha") -> int:
    return sum([await limits.take(bucket, key) is None for _ in range(times)])


async def test_a_small_limit_is_exact_across_processes_and_says_how_long_to_wait(client: Redis) -> None:
    one, two = RedisRateLimits(client, LIMITS), RedisRateLimits(client, LIMITS)
    assert await served(one, 3) + await served(two, 3) == 5
    wait = await one.take("auth", "asha")
    assert wait is not None
    assert 800 < wait <= 900
    assert await served(one, 1, key="binod") == 1


async def test_a_large_limit_costs_a_round_trip_for_many_calls(client: Redis) -> None:
    limits = RedisRateLimits(client, LIMITS)
    await limits.take("caller", "asha")
    before = (await client.info("stats"))["total_commands_processed"]
    assert await served(limits, 9, "caller") == 9
    assert (await client.info("stats"))["total_commands_processed"] - before <= 1
    assert await served(limits, 500, "caller") == 190


async def test_a_crowd_of_one_caller_takes_one_share_and_not_the_limit(client: Redis) -> None:
    limits = RedisRateLimits(client, LIMITS)
    waits = await asyncio.gather(*(limits.take("caller", "asha") for _ in range(50)))
    assert waits == [None] * 50
    assert await served(limits, 500, "caller") == 150


async def test_what_is_used_up_is_refused_without_asking(client: Redis) -> None:
    limits = RedisRateLimits(client, LIMITS)
    await served(limits, 6)
    before = (await client.info("stats"))["total_commands_processed"]
    assert await served(limits, 100) == 0
    assert (await client.info("stats"))["total_commands_processed"] - before <= 1


async def test_whether_a_limit_is_used_up_is_known_without_counting_and_without_asking(client: Redis) -> None:
    for bucket, room in (("auth", 5), ("caller", 200)):
        limits = RedisRateLimits(client, LIMITS)
        assert limits.spent(bucket, "asha") is None
        assert await served(limits, room, bucket) == room
        assert limits.spent(bucket, "asha") is None
        assert await limits.take(bucket, "asha") is not None
        before = (await client.info("stats"))["total_commands_processed"]
        waits = [limits.spent(bucket, "asha") for _ in range(100)]
        assert all(wait is not None and wait > 1 for wait in waits)
        assert limits.spent(bucket, "binod") is None
        assert (await client.info("stats"))["total_commands_processed"] - before <= 1


async def test_without_redis_too_a_used_up_limit_is_known(valkey: EmbeddedValkey, client: Redis) -> None:
    valkey.kill()
    limits = RedisRateLimits(client, LIMITS)
    assert await served(limits, 20) == 5
    assert limits.spent("auth", "asha") is not None


async def test_without_redis_a_process_counts_for_itself(valkey: EmbeddedValkey, client: Redis) -> None:
    valkey.kill()
    assert await served(RedisRateLimits(client, LIMITS), 20) == 5


async def test_a_redis_that_hangs_costs_one_call_a_fraction_of_a_second(valkey: EmbeddedValkey, client: Redis) -> None:
    limits = RedisRateLimits(client, LIMITS, rest=30)
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert await served(limits, 200, "caller") == 200
        assert time.monotonic() - began < 2
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
