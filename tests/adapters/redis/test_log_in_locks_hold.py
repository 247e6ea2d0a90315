"""A lock holds however Redis loses it, and guesses in parallel do not slip by: on a real PostgreSQL and Valkey."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest
from redis import RedisError
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.crypto.identifier_digests import HmacIdentifierDigests
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.log_in_counters import PREFIX, RedisLogInCounters
from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import OPEN, Attempt, PastAttempt
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import DisplayName, EmailAddress, User
from kapda.domain.shared.errors import Reason, ResourceExhaustedError
from kapda.domain.shared.ids import UserId
from tests.fakes.samples import NOON

HOME, ABROAD = ClientNetwork("203.0.113.0/24"), ClientNetwork("198.51.100.0/24")
EMAIL = "asha@example.in"


@dataclass(frozen=True)
class Door:
    """A guard, and the server its counters are in, which a test may hang, kill and restart."""

    guard: LogInGuard
    valkey: EmbeddedValkey
    redis: Redis
    engine: AsyncEngine

    async def fail(self, times: int) -> None:
        """So many wrong passwords from home."""
        for _ in range(times):
            await self.guard.failed(await self.guard.begin(EMAIL, HOME))

    async def is_locked(self) -> bool:
        """Whether another attempt is refused with about a quarter of an hour to wait."""
        try:
            await self.guard.withdrawn(await self.guard.begin(EMAIL, HOME))
        except ResourceExhaustedError as refusal:
            return refusal.reason is Reason.LOG_IN_LOCKED and (refusal.retry_after or 0) > 800
        return False

    def another_process(self) -> LogInGuard:
        """A guard that knows nothing of this one, but by what is kept in common."""
        counters = RedisLogInCounters(self.redis, rest=0.05)
        return replace(self.guard, counters=counters, under_way=AttemptsUnderWay())

    async def flood(self, number: int = 100, guards: Sequence[LogInGuard] = ()) -> list[Attempt]:
        """So many callers at once, all with a wrong password; those that were let through to its check."""
        gate = asyncio.Event()

        async def guess(guard: LogInGuard) -> Attempt | None:
            await gate.wait()
            try:
                attempt = await guard.begin(EMAIL, HOME)
            except ResourceExhaustedError:
                return None
            await asyncio.sleep(0)
            await guard.failed(attempt)
            return attempt

        doors = itertools.cycle(guards or [self.guard])
        guesses = [asyncio.create_task(guess(next(doors))) for _ in range(number)]
        gate.set()
        return [attempt for attempt in await asyncio.gather(*guesses) if attempt is not None]

    async def restart(self) -> None:
        """Kill the server and start it again, and wait until it answers."""
        self.valkey.kill()
        self.valkey.start()
        await asyncio.wait_for(_until_answering(self.redis), 5)

    def stop(self, number: int = signal.SIGSTOP) -> None:
        """Hang the server, or with SIGCONT have it go on."""
        assert self.valkey.pid is not None
        os.kill(self.valkey.pid, number)


@pytest.fixture
async def door(valkey: EmbeddedValkey, database_url: str) -> AsyncIterator[Door]:
    engine, client = make_engine(database_url), make_client(valkey.url())
    guard = LogInGuard(
        lambda: PostgresUnitOfWork(engine),
        lambda: PostgresUnitOfWork(engine, autocommit=True),
        RedisLogInCounters(client, rest=0.05),
        AttemptsUnderWay(),
        HmacIdentifierDigests(b"k" * 32),
        Uuid7Generator(),
        SystemClock(),
    )
    yield Door(guard, valkey, client, engine)
    await client.aclose()
    await engine.dispose()


async def test_of_a_hundred_guesses_at_once_five_are_checked(door: Door) -> None:
    assert len(await door.flood()) == 5
    assert await door.is_locked()
    assert await door.flood() == []


async def test_of_a_hundred_guesses_at_once_five_are_checked_without_redis(door: Door) -> None:
    door.valkey.kill()
    assert len(await door.flood()) == 5
    assert await door.is_locked()


@pytest.mark.parametrize("redis_is_up", [True, False])
async def test_of_a_hundred_guesses_at_once_through_three_processes_five_are_checked(
    door: Door, redis_is_up: bool
) -> None:
    if not redis_is_up:
        door.valkey.kill()
    processes = [door.another_process() for _ in range(3)]
    assert len(await door.flood(guards=processes)) == 5
    assert await door.is_locked()
    assert await door.flood(guards=processes) == []


async def test_of_a_hundred_guesses_at_once_five_are_checked_while_redis_comes_and_goes(door: Door) -> None:
    async def meddle() -> None:
        for _ in range(5):
            await door.redis.flushall()
            await asyncio.sleep(0.01)
        door.valkey.kill()

    guesses, _ = await asyncio.gather(door.flood(), meddle())
    assert len(guesses) == 5
    assert await door.is_locked()


async def test_a_flushed_redis_does_not_open_the_lock(door: Door) -> None:
    await door.fail(5)
    await door.redis.flushall()
    assert await door.is_locked()
    assert await door.is_locked()


async def test_a_restarted_redis_does_not_open_the_lock(door: Door) -> None:
    await door.fail(5)
    await door.restart()
    assert await door.is_locked()


async def test_an_old_snapshot_read_back_does_not_open_the_lock(door: Door) -> None:
    await door.fail(3)
    await door.redis.save()
    await door.fail(2)
    await door.restart()
    assert await door.redis.keys(f"{PREFIX}*"), "the snapshot was not read back"
    assert await door.is_locked()


async def test_a_dead_redis_does_not_open_the_lock_and_counts_go_on_in_the_rows(door: Door) -> None:
    await door.fail(3)
    door.valkey.kill()
    await door.fail(2)
    assert await door.is_locked()
    door.valkey.start()
    await asyncio.wait_for(_until_answering(door.redis), 5)
    await asyncio.sleep(0.06)
    assert await door.is_locked()


async def test_a_redis_that_hung_for_a_while_does_not_open_the_lock(door: Door) -> None:
    await door.fail(3)
    door.stop()
    try:
        began = time.monotonic()
        await door.fail(2)
        assert await door.is_locked()
        # Each time at most one call waits for it, for a fraction of a second.
        assert time.monotonic() - began < 5
    finally:
        door.stop(signal.SIGCONT)
    await asyncio.wait_for(_until_answering(door.redis), 5)
    await asyncio.sleep(0.06)
    assert await door.is_locked()


async def test_an_end_that_comes_while_the_rows_are_read_is_not_lost(door: Door) -> None:
    await door.fail(4)
    fifth = await door.guard.begin(EMAIL, HOME)
    await door.redis.flushall()

    class SlowRows(PostgresUnitOfWork):
        """The rows as they were before the fifth attempt's end."""

        told = False

        async def __aexit__(self, *args: object) -> None:
            await super().__aexit__(*args)  # type: ignore[arg-type]
            if not SlowRows.told:
                SlowRows.told = True
                await door.guard.failed(fifth)

    rows = partial(SlowRows, door.engine, autocommit=True)
    slow = replace(door.guard, autocommit=rows, under_way=AttemptsUnderWay())
    with pytest.raises(ResourceExhaustedError):
        await slow.begin(EMAIL, HOME)


async def test_rows_that_were_read_before_they_were_cleared_are_read_again(door: Door) -> None:
    await door.fail(5)
    attempt = door.guard.attempt(EMAIL, HOME)
    await door.redis.flushall()
    readings: list[int] = []

    async def past() -> Sequence[PastAttempt]:
        async with PostgresUnitOfWork(door.engine) as uow:
            rows = await uow.log_in_attempts.recent(attempt.identifier)
        readings.append(len(rows))
        if len(readings) == 1:
            async with door.engine.begin() as connection:
                await connection.execute(text("DELETE FROM log_in_attempts"))
            await door.guard.counters.forget(attempt.identifier)
        return rows

    verdict = await door.guard.counters.begin(attempt, past, network_is_known=False)
    assert (verdict, readings) == (OPEN, [5, 0])


async def test_what_a_mailed_link_opened_stays_open_through_flush_restart_and_stop_and_nothing_else_opens(
    door: Door,
) -> None:
    strangers = [ClientNetwork(f"10.0.{number}.0/24") for number in range(20)]
    for network in strangers:
        await door.guard.failed(await door.guard.begin(EMAIL, network))
    await door.fail(5)
    user = User.signed_up(UserId(door.guard.ids.new()), EmailAddress(EMAIL), DisplayName("Asha"), "-", NOON)
    proof = door.guard.attempt(EMAIL, HOME)
    async with PostgresUnitOfWork(door.engine) as uow:
        await uow.users.add(user)
        await door.guard.let_in(uow, proof, user.id)
        await uow.commit()
    await door.guard.succeeded(proof)

    # The owner's five count no longer, so the strangers close the account only now.
    for network in strangers[:5]:
        await door.guard.failed(await door.guard.begin(EMAIL, network))

    async def only_home_is_open() -> bool:
        gates = [await is_open(door, network) for network in (HOME, ABROAD, *strangers)]
        return gates == [True, *[False] * 21]

    assert await only_home_is_open()
    await door.redis.flushall()
    assert await only_home_is_open()
    await door.restart()
    assert await only_home_is_open()
    door.valkey.kill()
    assert await only_home_is_open()


async def test_neither_redis_nor_the_rows_hold_the_address(door: Door) -> None:
    await door.fail(1)
    (key,) = await door.redis.keys("*")
    members = await door.redis.zrange(key, 0, -1)
    async with door.engine.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM log_in_attempts"))).one()
    assert "asha" not in repr((key, members, row))
    assert key == PREFIX + row.identifier


async def test_a_success_a_second_for_hours_keeps_the_set_small(door: Door) -> None:
    for _ in range(20):
        await door.guard.succeeded(await door.guard.begin(EMAIL, HOME))
    (key,) = await door.redis.keys("*")
    assert await door.redis.zcard(key) == 1, "only the mark is left"
    assert 0 < await door.redis.ttl(key) <= 7200


async def is_open(door: Door, network: ClientNetwork) -> bool:
    """Whether a password from there would be looked at."""
    try:
        await door.guard.withdrawn(await door.guard.begin(EMAIL, network))
    except ResourceExhaustedError:
        return False
    return True


async def _until_answering(client: Redis) -> None:
    while True:
        try:
            await client.exists(PREFIX)
        except RedisError:
            await asyncio.sleep(0.02)
        else:
            return
