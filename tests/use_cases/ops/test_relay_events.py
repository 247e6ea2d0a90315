"""Events leave in order, at least once, one worker at a time for each aggregate."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kapda.domain.ops.use_cases.relay_events import AGGREGATES, BATCH, LEASE, MARGIN, RelayEvents
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from tests.fakes.database import InMemoryDatabase
from tests.fakes.identity import SettableClock
from tests.fakes.samples import NOON

ORDER = UUID(int=0x0D1)
OTHER = UUID(int=0x0D2)


async def _nothing() -> None:
    return None


class Sink:
    """Keeps what it is given; `before` may fail, and `after` do something meanwhile."""

    def __init__(self, database: InMemoryDatabase) -> None:
        self.published: list[SequencedEvent] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], Awaitable[None]] = _nothing
        self._database = database

    @property
    def sequences(self) -> list[int]:
        return [event.sequence for event in self.published]

    async def publish(self, events: Sequence[SequencedEvent]) -> None:
        self._database.check_nothing_open()
        self.before()
        self.published.extend(events)
        await self.after()


class Relay:
    """A relay on one database."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        self.clock = SettableClock(NOON)
        self.sink = Sink(self.database)
        self.use_case = RelayEvents(self.database.unit_of_work, self.sink, self.clock)

    async def happens(self, count: int, aggregate: UUID = ORDER) -> None:
        async with self.database.unit_of_work() as uow:
            for _ in range(count):
                await uow.outbox.add(DomainEvent("order", aggregate, "order.placed", self.clock.now(), {"n": 1}))
            await uow.commit()

    async def run(self) -> int:
        return await self.use_case.execute()

    async def taken_by_another(self) -> None:
        async with self.database.unit_of_work() as uow:
            assert await uow.outbox.lease(self.clock.now(), self.clock.now() + LEASE, AGGREGATES)
            await uow.commit()

    async def unsent(self, aggregate: UUID = ORDER) -> list[int]:
        async with self.database.unit_of_work() as uow:
            return [event.sequence for event in await uow.outbox.unsent([aggregate], 10_000)]

    @property
    def leased(self) -> bool:
        return bool(self.database.tables.relay_leases)


@pytest.fixture
def relay() -> Relay:
    return Relay()


def fail() -> None:
    raise UnavailableError(Reason.DATABASE_UNAVAILABLE, "the stream does not answer")


async def test_all_unsent_events_leave_in_order_and_the_lease_is_given_back(relay: Relay) -> None:
    await relay.happens(2 * BATCH + 1)
    assert await relay.run() == 2 * BATCH + 1
    assert relay.sink.sequences == list(range(1, 2 * BATCH + 2))
    assert await relay.unsent() == []
    assert not relay.leased


async def test_a_second_run_sends_nothing_again(relay: Relay) -> None:
    await relay.happens(3)
    await relay.run()
    assert await relay.run() == 0
    await relay.happens(1)
    assert await relay.run() == 1
    assert relay.sink.sequences == [1, 2, 3, 4]


async def test_more_aggregates_than_one_share_leave_in_one_run(relay: Relay) -> None:
    for number in range(AGGREGATES + 1):
        await relay.happens(2, UUID(int=number))
    assert await relay.run() == 2 * (AGGREGATES + 1)
    for number in range(AGGREGATES + 1):
        of_one = [one.sequence for one in relay.sink.published if one.event.aggregate_id == UUID(int=number)]
        assert of_one == [1, 2]


async def test_without_events_there_is_no_work(relay: Relay) -> None:
    assert await relay.run() == 0
    assert relay.sink.published == []


async def test_what_another_worker_has_is_left_to_it(relay: Relay) -> None:
    await relay.happens(1)
    await relay.taken_by_another()
    await relay.happens(1, OTHER)
    assert await relay.run() == 1
    assert [event.event.aggregate_id for event in relay.sink.published] == [OTHER]
    assert relay.leased


async def test_the_lease_of_a_worker_that_died_runs_out(relay: Relay) -> None:
    await relay.happens(1)
    await relay.taken_by_another()
    relay.clock.advance(LEASE)
    assert await relay.run() == 1


async def test_a_failure_ends_the_run_and_everything_is_there_for_the_next(relay: Relay) -> None:
    await relay.happens(5)
    relay.sink.before = fail
    with pytest.raises(UnavailableError):
        await relay.run()
    assert await relay.unsent() == [1, 2, 3, 4, 5]
    assert not relay.leased
    relay.sink.before = lambda: None
    assert await relay.run() == 5


async def test_events_are_sent_again_when_they_could_not_be_noted_as_sent(relay: Relay) -> None:
    await relay.happens(2)

    def break_the_next_commit() -> None:
        relay.database.fail_next_commit = UnavailableError(Reason.DATABASE_UNAVAILABLE, "gone")

    relay.sink.before = break_the_next_commit
    with pytest.raises(UnavailableError):
        await relay.run()
    relay.sink.before = lambda: None
    relay.clock.advance(LEASE)
    assert await relay.run() == 2
    assert relay.sink.sequences == [1, 2, 1, 2]


async def test_nothing_is_published_close_to_the_end_of_a_lease(relay: Relay) -> None:
    await relay.happens(1)
    reading, late = relay.clock.now(), relay.clock.now() + LEASE - MARGIN
    instants = [reading, late, late, late, late]
    relay.use_case = RelayEvents(relay.database.unit_of_work, relay.sink, Instants(instants))
    assert await relay.run() == 1
    assert len(relay.sink.published) == 1, "the share that came too late was given back and taken anew"
    assert not relay.leased


async def test_a_lease_that_another_has_by_now_is_not_given_back(relay: Relay) -> None:
    await relay.happens(1)

    def overslept() -> None:
        relay.clock.advance(LEASE + timedelta(seconds=1))
        relay.database.tables.relay_leases[ORDER] = relay.clock.now() + LEASE

    relay.sink.before = overslept
    await relay.run()
    assert relay.leased


async def test_events_that_happen_meanwhile_leave_in_the_same_run(relay: Relay) -> None:
    await relay.happens(1)

    async def another() -> None:
        relay.sink.after = _nothing
        await relay.happens(1)

    relay.sink.after = another
    assert await relay.run() == 2
    assert relay.sink.sequences == [1, 2]


class Instants:
    """A clock that is read at these instants, the last one again and again."""

    def __init__(self, instants: list[datetime]) -> None:
        self._instants = instants

    def now(self) -> datetime:
        return self._instants.pop(0) if len(self._instants) > 1 else self._instants[0]
