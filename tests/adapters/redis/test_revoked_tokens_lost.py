"""A revoked session stays revoked however Redis loses what it was told."""

import asyncio
import os
import signal
import time
from collections.abc import Collection
from uuid import UUID

import pytest
from redis import RedisError
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.revoked_tokens import KEY, RedisRevokedTokens
from kapda.domain.identity.session_ports import Revocation
from kapda.domain.shared.ids import SessionId

ENDED, OPEN = SessionId(UUID(int=1)), SessionId(UUID(int=2))
SHORT_LEASE = 0.4


async def no_rows() -> Collection[SessionId]:
    return []


async def rows() -> Collection[SessionId]:
    return [ENDED]


@pytest.fixture
def revoked_tokens(client: Redis) -> RedisRevokedTokens:
    return RedisRevokedTokens(client, lease=60, rest=0)


async def test_a_flushed_redis_knows_nothing_until_it_is_refilled(
    client: Redis, revoked_tokens: RedisRevokedTokens
) -> None:
    await revoked_tokens.refill(rows)
    await client.flushall()
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
    await revoked_tokens.refill(rows)
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED


async def test_an_eviction_takes_the_mark_with_the_entries(client: Redis, revoked_tokens: RedisRevokedTokens) -> None:
    await revoked_tokens.refill(rows)
    assert await client.keys() == [KEY]


async def test_a_flush_between_revocation_and_the_end_of_a_refill_is_noticed(
    client: Redis, revoked_tokens: RedisRevokedTokens
) -> None:
    async def rows_read_before_the_revocation() -> Collection[SessionId]:
        await revoked_tokens.revoke([ENDED])
        await client.flushall()
        return []

    await revoked_tokens.refill(rows_read_before_the_revocation)
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN


async def test_a_restarted_redis_knows_nothing(
    valkey: EmbeddedValkey, client: Redis, revoked_tokens: RedisRevokedTokens
) -> None:
    await revoked_tokens.refill(rows)
    valkey.kill()
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
    valkey.start()
    await asyncio.wait_for(_until_answering(client), 5)
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN


async def test_a_snapshot_read_back_at_a_restart_is_not_trusted(
    valkey: EmbeddedValkey, client: Redis, revoked_tokens: RedisRevokedTokens
) -> None:
    await revoked_tokens.refill(no_rows)
    await client.save()
    await revoked_tokens.revoke([ENDED])
    valkey.kill()
    valkey.start()
    await asyncio.wait_for(_until_answering(client), 5)
    assert await client.exists(KEY) == 1, "the snapshot was not read back"
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
    await revoked_tokens.refill(rows)
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def test_a_restart_in_the_midst_of_a_refill_is_noticed(
    valkey: EmbeddedValkey, client: Redis, revoked_tokens: RedisRevokedTokens
) -> None:
    async def rows_read_before_the_revocation() -> Collection[SessionId]:
        await client.save()
        await revoked_tokens.revoke([ENDED])
        valkey.kill()
        valkey.start()
        await asyncio.wait_for(_until_answering(client), 5)
        return []

    await revoked_tokens.refill(rows_read_before_the_revocation)
    assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN


async def test_a_revocation_that_redis_did_not_hear_waits_until_nobody_trusts_it(
    valkey: EmbeddedValkey, client: Redis
) -> None:
    revoked_tokens = RedisRevokedTokens(client, lease=SHORT_LEASE, rest=0)
    await revoked_tokens.refill(no_rows)
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        await revoked_tokens.revoke([ENDED])
        assert time.monotonic() - began >= SHORT_LEASE
        assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    await asyncio.wait_for(_until_answering(client), 5)
    assert await RedisRevokedTokens(client).check(ENDED) is not Revocation.NOT_REVOKED


async def test_many_revocations_that_redis_did_not_hear_wait_once(valkey: EmbeddedValkey, client: Redis) -> None:
    revoked_tokens = RedisRevokedTokens(client, lease=SHORT_LEASE, rest=0)
    await revoked_tokens.refill(no_rows)
    many = [SessionId(UUID(int=number)) for number in range(10, 3_010)]
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        await revoked_tokens.revoke(many)
        assert SHORT_LEASE <= time.monotonic() - began < 3 * SHORT_LEASE + 1
        assert await revoked_tokens.check(many[-1]) is Revocation.UNKNOWN
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def test_a_short_hang_is_outwaited_and_written(valkey: EmbeddedValkey, client: Redis) -> None:
    revoked_tokens = RedisRevokedTokens(client, lease=30, rest=0)
    await revoked_tokens.refill(no_rows)
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(0.5, os.kill, valkey.pid, signal.SIGCONT)
    await asyncio.wait_for(revoked_tokens.revoke([ENDED]), 10)
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED


async def test_nothing_prolongs_the_lease(client: Redis) -> None:
    revoked_tokens = RedisRevokedTokens(client, lease=SHORT_LEASE, rest=0)
    await revoked_tokens.revoke([ENDED])
    await revoked_tokens.refill(rows)
    over = time.monotonic() + SHORT_LEASE + 0.1
    while time.monotonic() < over - 0.2:
        assert await client.pttl(KEY) > 0
        assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED
        await revoked_tokens.revoke([ENDED])
        await revoked_tokens.refill(rows)
        await asyncio.sleep(0.02)
    while time.monotonic() < over:
        await revoked_tokens.revoke([ENDED])
        await asyncio.sleep(0.02)
    assert await revoked_tokens.check(OPEN) is Revocation.UNKNOWN


async def test_a_dead_redis_costs_one_call_a_fraction_of_a_second_and_the_next_nothing(
    valkey: EmbeddedValkey, client: Redis
) -> None:
    revoked_tokens = RedisRevokedTokens(client, lease=60, rest=30)
    await revoked_tokens.refill(rows)
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
        assert time.monotonic() - began < 1
        began = time.monotonic()
        for _ in range(100):
            assert await revoked_tokens.check(ENDED) is Revocation.UNKNOWN
        await revoked_tokens.refill(rows)
        assert time.monotonic() - began < 0.1
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def test_only_one_caller_of_a_process_refills(client: Redis, revoked_tokens: RedisRevokedTokens) -> None:
    reads = 0

    async def slow_rows() -> Collection[SessionId]:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.05)
        return [ENDED]

    await asyncio.gather(*(revoked_tokens.refill(slow_rows) for _ in range(20)))
    assert reads == 1
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED


async def test_many_revoked_sessions_fit(revoked_tokens: RedisRevokedTokens) -> None:
    many = [SessionId(UUID(int=number)) for number in range(10, 5_010)]

    async def all_of_them() -> Collection[SessionId]:
        return many

    await revoked_tokens.refill(all_of_them)
    assert await revoked_tokens.check(many[0]) is Revocation.REVOKED
    assert await revoked_tokens.check(many[-1]) is Revocation.REVOKED
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def _until_answering(client: Redis) -> None:
    while True:
        try:
            await client.exists(KEY)
        except RedisError:
            await asyncio.sleep(0.02)
        else:
            return
