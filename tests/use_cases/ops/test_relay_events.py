"""Events leave in order, at least once, one worker at a time for each aggregate."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.ops.use_cases.relay_events import BATCH, LEASE, MARGIN, RelayEvents, RelayEventsCommand
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from tests.fakes.database import InMemoryDatabase
from tests.fakes.identity import SettableClock
from tests.fakes.samples import NOON

ORDER = UUID(int=0x0D1)
OTHER = UUID(int=0x0D2)


async def _nothing(_: SequencedEvent) -> None:
    return None


class Sink:
    """Keeps what it is given; `before` may fail, and `after` do something meanwhile."""

    def __init__(self, database: InMemoryDatabase) -> None:
        self.published: list[SequencedEvent] = []
        self.before: Callable[[SequencedEvent], None] = lambda _: None
        self.after: Callable[[SequencedEvent], Awaitable[None]] = _nothing
        self._database = database

    @property
    def sequences(self) -> list[int]:
        return [event.sequence for event in self.published]

    async def publish(self, event: SequencedEvent) -> None:
        self._database.check_nothing_open()
        self.before(event)
        self.published.append(event)
        await self.after(event)


class Relay:
    """Two workers' worth of a relay on one database."""

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

    async def run(self, aggregate: UUID = ORDER) -> int:
        return await self.use_case.execute(RelayEventsCommand(aggregate))

    async def unsent(self, aggregate: UUID = ORDER) -> list[int]:
        async with self.database.unit_of_work() as uow:
            return [event.sequence for event in await uow.outbox.unsent(aggregate, 10_000)]

    @property
    def leased(self) -> bool:
        return ORDER in self.database.tables.relay_leases


@pytest.fixture
def relay() -> Relay:
    return Relay()


def fail_at(sequence: int) -> Callable[[SequencedEvent], None]:
    def fail(event: SequencedEvent) -> None:
        if event.sequence == sequence:
            raise UnavailableError(Reason.DATABASE_UNAVAILABLE, "the stream does not answer")

    return fail


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


async def test_only_the_named_aggregate_is_relayed(relay: Relay) -> None:
    await relay.happens(1)
    await relay.happens(1, OTHER)
    await relay.run(OTHER)
    assert [event.event.aggregate_id for event in relay.sink.published] == [OTHER]
    assert await relay.unsent() == [1]


async def test_an_aggregate_without_events_is_no_work(relay: Relay) -> None:
    assert await relay.run() == 0


async def test_while_another_worker_has_the_lease_nothing_is_sent(relay: Relay) -> None:
    await relay.happens(1)
    async with relay.database.unit_of_work() as uow:
        assert await uow.outbox.lease(ORDER, relay.clock.now(), relay.clock.now() + LEASE)
        await uow.commit()
    assert await relay.run() == 0
    assert relay.sink.published == []
    assert relay.leased


async def test_the_lease_of_a_worker_that_died_runs_out(relay: Relay) -> None:
    await relay.happens(1)
    async with relay.database.unit_of_work() as uow:
        assert await uow.outbox.lease(ORDER, relay.clock.now(), relay.clock.now() + LEASE)
        await uow.commit()
    relay.clock.advance(LEASE)
    assert await relay.run() == 1


async def test_a_failure_ends_the_run_and_what_was_sent_is_not_sent_again(relay: Relay) -> None:
    await relay.happens(5)
    relay.sink.before = fail_at(3)
    with pytest.raises(UnavailableError):
        await relay.run()
    assert relay.sink.sequences == [1, 2]
    assert await relay.unsent() == [3, 4, 5]
    assert not relay.leased
    relay.sink.before = lambda _: None
    assert await relay.run() == 3
    assert relay.sink.sequences == [1, 2, 3, 4, 5]


async def test_an_event_is_sent_again_when_it_could_not_be_noted_as_sent(relay: Relay) -> None:
    await relay.happens(2)

    def break_the_next_commit(_: SequencedEvent) -> None:
        relay.database.fail_next_commit = UnavailableError(Reason.DATABASE_UNAVAILABLE, "gone")

    relay.sink.before = break_the_next_commit
    with pytest.raises(UnavailableError):
        await relay.run()
    relay.sink.before = lambda _: None
    assert await relay.run() == 2
    assert relay.sink.sequences == [1, 2, 1, 2]


async def test_a_run_ends_before_its_lease_does(relay: Relay) -> None:
    await relay.happens(5)
    relay.sink.before = lambda _: relay.clock.advance((LEASE - MARGIN) / 2)
    assert await relay.run() == 2
    assert await relay.unsent() == [3, 4, 5]
    assert not relay.leased


async def test_a_lease_that_has_run_out_is_not_given_back_for_another(relay: Relay) -> None:
    await relay.happens(1)

    def overslept(_: SequencedEvent) -> None:
        relay.clock.advance(LEASE + timedelta(seconds=1))
        relay.database.tables.relay_leases[ORDER] = relay.clock.now() + LEASE

    relay.sink.before = overslept
    await relay.run()
    assert relay.leased


async def test_events_that_happen_meanwhile_leave_in_the_same_run(relay: Relay) -> None:
    await relay.happens(1)

    async def another(event: SequencedEvent) -> None:
        if event.sequence == 1:
            await relay.happens(1)

    relay.sink.after = another
    assert await relay.run() == 2
    assert relay.sink.sequences == [1, 2]
