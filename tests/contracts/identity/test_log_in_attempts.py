"""The rows of attempts and of known networks, in memory and in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Attempt, Outcome, PastAttempt
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.user import DisplayName, EmailAddress, User
from kapda.domain.shared.ids import UserId
from tests.fakes.identity import IdentityTables, InMemoryIdentityUnitOfWork

HOME, ABROAD = ClientNetwork("203.0.113.0/24"), ClientNetwork("2001:db8:7::/48")
IDENTIFIER, OTHER = "a" * 64, "b" * 64
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ASHA = User.signed_up(UserId(UUID(int=1)), EmailAddress("Asha@example.in"), DisplayName("Asha"), "hash", NOW)
_AGE = text("UPDATE log_in_attempts SET at = at - CAST(:by AS interval)")


@dataclass(frozen=True)
class Rows:
    """One implementation, and a way to make all attempts older."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    age: Callable[[timedelta], Awaitable[None]]

    async def record(self, attempt: Attempt, outcome: Outcome) -> None:
        """In a transaction of its own."""
        async with self.unit_of_work() as uow:
            await uow.log_in_attempts.record(attempt, outcome)
            await uow.commit()

    async def recent(self, identifier: str = IDENTIFIER) -> list[PastAttempt]:
        """Likewise."""
        async with self.unit_of_work() as uow:
            return list(await uow.log_in_attempts.recent(identifier))


@pytest.fixture(params=["in_memory_rows", "postgres_rows"])
def rows(request: pytest.FixtureRequest) -> Rows:
    chosen: Rows = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_rows() -> Rows:
    tables = IdentityTables()

    async def age(by: timedelta) -> None:
        tables.clock.advance(by)

    return Rows(lambda: InMemoryIdentityUnitOfWork(tables), age)


@pytest.fixture
def postgres_rows(identity_engine: AsyncEngine) -> Rows:
    async def age(by: timedelta) -> None:
        async with identity_engine.begin() as connection:
            await connection.execute(_AGE, {"by": by})

    return Rows(lambda: PostgresUnitOfWork(identity_engine), age)


def attempt(identifier: str = IDENTIFIER, network: ClientNetwork = HOME) -> Attempt:
    return Attempt(uuid4(), identifier, network)


async def test_attempts_are_told_the_oldest_first_with_their_ages(rows: Rows) -> None:
    first, second = attempt(), attempt(network=ABROAD)
    await rows.record(first, Outcome.FAILED)
    await rows.age(timedelta(minutes=10))
    await rows.record(second, Outcome.UNDER_WAY)
    older, newer = await rows.recent()
    assert (older.id, older.network, older.outcome) == (first.id, HOME, Outcome.FAILED)
    assert timedelta(minutes=10) <= older.age < timedelta(minutes=11)
    assert (newer.id, newer.network, newer.outcome) == (second.id, ABROAD, Outcome.UNDER_WAY)
    assert timedelta() <= newer.age < timedelta(minutes=1)


async def test_how_an_attempt_ended_does_not_make_it_younger(rows: Rows) -> None:
    one = attempt()
    await rows.record(one, Outcome.UNDER_WAY)
    await rows.age(timedelta(seconds=20))
    await rows.record(one, Outcome.FAILED)
    (past,) = await rows.recent()
    assert past.outcome is Outcome.FAILED
    assert past.age >= timedelta(seconds=20)


async def test_attempts_at_other_identifiers_and_of_long_ago_are_not_told(rows: Rows) -> None:
    await rows.record(attempt(), Outcome.FAILED)
    await rows.age(timedelta(hours=2))
    await rows.record(attempt(OTHER), Outcome.FAILED)
    assert await rows.recent() == []
    assert len(await rows.recent(OTHER)) == 1


async def test_a_success_and_what_its_network_did_before_count_no_longer(rows: Rows) -> None:
    await rows.record(attempt(), Outcome.FAILED)
    await rows.record(attempt(network=ABROAD), Outcome.FAILED)
    await rows.age(timedelta(minutes=1))
    await rows.record(attempt(), Outcome.SUCCEEDED)
    await rows.age(timedelta(minutes=1))
    await rows.record(attempt(), Outcome.FAILED)
    assert [past.network for past in await rows.recent()] == [ABROAD, HOME]


async def test_a_withdrawn_attempt_was_never_made(rows: Rows) -> None:
    one = attempt()
    await rows.record(one, Outcome.UNDER_WAY)
    async with rows.unit_of_work() as uow:
        await uow.log_in_attempts.withdraw(one)
        await uow.log_in_attempts.withdraw(attempt())
        await uow.commit()
    assert await rows.recent() == []


async def test_attempts_that_are_cleared_were_never_made_and_others_stay(rows: Rows) -> None:
    await rows.record(attempt(), Outcome.FAILED)
    await rows.record(attempt(network=ABROAD), Outcome.UNDER_WAY)
    await rows.record(attempt(), Outcome.SUCCEEDED)
    await rows.record(attempt(OTHER), Outcome.FAILED)
    async with rows.unit_of_work() as uow:
        assert await uow.log_in_attempts.clear(IDENTIFIER) == 2
        assert await uow.log_in_attempts.clear(IDENTIFIER) == 0
        await uow.commit()
    assert await rows.recent() == []
    assert len(await rows.recent(OTHER)) == 1


async def test_what_is_not_committed_is_not_kept(rows: Rows) -> None:
    async with rows.unit_of_work() as uow:
        await uow.log_in_attempts.record(attempt(), Outcome.FAILED)
    assert await rows.recent() == []


async def test_a_network_is_known_after_a_success_from_there(rows: Rows) -> None:
    async with rows.unit_of_work() as uow:
        await uow.users.add(ASHA)
        await uow.known_networks.add(ASHA.id, HOME, NOW)
        await uow.known_networks.add(ASHA.id, HOME, NOW + timedelta(days=3))
        await uow.commit()
    async with rows.unit_of_work() as uow:
        assert await uow.known_networks.knows(EmailAddress("asha@EXAMPLE.in"), HOME)
        assert not await uow.known_networks.knows(EmailAddress("asha@example.in"), ABROAD)
        assert not await uow.known_networks.knows(EmailAddress("nobody@example.in"), HOME)


async def test_who_judges_by_the_rows_waits_for_who_is_at_it(postgres_rows: Rows) -> None:
    async with postgres_rows.unit_of_work() as uow:
        await uow.log_in_attempts.lock(IDENTIFIER)
        await uow.log_in_attempts.record(attempt(), Outcome.UNDER_WAY)

        async def next_one() -> int:
            async with postgres_rows.unit_of_work() as other:
                await other.log_in_attempts.lock(IDENTIFIER)
                return len(await other.log_in_attempts.recent(IDENTIFIER))

        async def elsewhere() -> None:
            async with postgres_rows.unit_of_work() as other:
                await other.log_in_attempts.lock(OTHER)

        waiting = asyncio.create_task(next_one())
        await asyncio.wait_for(elsewhere(), 5)
        assert not waiting.done()
        await uow.commit()
    assert await asyncio.wait_for(waiting, 5) == 1
