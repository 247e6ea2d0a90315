"""Events and wake-ups as their ports promise: with the commit or not at all, and in order."""

from datetime import timedelta
from uuid import UUID

from kapda.domain.shared.events import DomainEvent, Scalar, SequencedEvent
from kapda.domain.shared.jobs import Job
from tests.contracts.backing import Backing
from tests.fakes.samples import NOON

ORDER, OTHER = UUID(int=0x0D), UUID(int=0x0E)
MINUTE = timedelta(minutes=1)
PAYLOAD: dict[str, Scalar] = {"order_id": str(ORDER), "total_minor": 149_900, "gift": False, "note": None}


def event(aggregate: UUID = ORDER, kind: str = "order.placed", minutes: int = 0) -> DomainEvent:
    return DomainEvent("order", aggregate, kind, NOON + minutes * MINUTE, PAYLOAD)


async def add(backing: Backing, *events: DomainEvent) -> None:
    for one in events:
        async with backing.unit_of_work() as uow:
            await uow.outbox.add(one)
            await uow.commit()


async def unsent(backing: Backing, aggregate: UUID = ORDER, limit: int = 10) -> tuple[SequencedEvent, ...]:
    async with backing.unit_of_work() as uow:
        return await uow.outbox.unsent(aggregate, limit)


async def waiting(backing: Backing, minutes: int = 0, limit: int = 10) -> tuple[UUID, ...]:
    async with backing.unit_of_work() as uow:
        return await uow.outbox.with_unsent_events(NOON + minutes * MINUTE, limit)


async def test_events_of_an_aggregate_are_numbered_without_a_gap(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await uow.outbox.add(event(kind="order.lost"))
    async with backing.unit_of_work() as uow:
        await uow.outbox.add(event())
        await uow.outbox.add(event(kind="order.packed"))
        await uow.commit()
    await add(backing, event(OTHER), event(kind="order.sent"))
    expected = [
        SequencedEvent(n, event(kind=f"order.{verb}")) for n, verb in enumerate(("placed", "packed", "sent"), 1)
    ]
    assert list(await unsent(backing)) == expected
    assert await unsent(backing, limit=2) == tuple(expected[:2])
    assert await unsent(backing, OTHER) == (SequencedEvent(1, event(OTHER)),)


async def test_an_event_wakes_the_relay_with_the_commit_and_a_rollback_wakes_nobody(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await uow.outbox.add(event())
    assert await backing.jobs() == []
    assert await unsent(backing) == ()
    await add(backing, event(), event(kind="order.packed"))
    assert await backing.jobs() == [(Job.RELAY_EVENTS, ORDER)]


async def test_sent_events_are_not_sent_again(backing: Backing) -> None:
    await add(backing, event(), event(kind="order.packed"), event(kind="order.sent"))
    async with backing.unit_of_work() as uow:
        await uow.outbox.mark_sent(ORDER, 2, NOON)
        await uow.commit()
    assert await unsent(backing) == (SequencedEvent(3, event(kind="order.sent")),)
    async with backing.unit_of_work() as uow:
        await uow.outbox.mark_sent(ORDER, 3, NOON)
        await uow.commit()
    assert (await unsent(backing), await waiting(backing)) == ((), ())
    await add(backing, event(kind="order.delivered"))
    assert [one.sequence for one in await unsent(backing)] == [4]


async def test_one_relay_has_an_aggregate_at_a_time(backing: Backing) -> None:
    await add(backing, event())
    async with backing.unit_of_work() as uow:
        assert await uow.outbox.lease(ORDER, NOON, NOON + MINUTE)
        assert not await uow.outbox.lease(ORDER, NOON, NOON + MINUTE)
        assert not await uow.outbox.lease(ORDER, NOON + MINUTE - timedelta(microseconds=1), NOON + MINUTE)
        assert await uow.outbox.lease(ORDER, NOON + MINUTE, NOON + 2 * MINUTE)
        await uow.outbox.release(ORDER)
        assert await uow.outbox.lease(ORDER, NOON + MINUTE, NOON + 2 * MINUTE)


async def test_an_aggregate_without_events_is_not_leased(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert not await uow.outbox.lease(ORDER, NOON, NOON + MINUTE)
        await uow.outbox.release(ORDER)
        await uow.outbox.mark_sent(ORDER, 1, NOON)
    assert await unsent(backing) == ()


async def test_aggregates_that_nobody_relays_are_found_oldest_event_first(backing: Backing) -> None:
    third = UUID(int=0x0F)
    await add(backing, event(third, minutes=3), event(ORDER, minutes=2), event(OTHER, minutes=1), event(OTHER))
    assert await waiting(backing) == (OTHER, ORDER, third)
    assert await waiting(backing, limit=2) == (OTHER, ORDER)
    async with backing.unit_of_work() as uow:
        await uow.outbox.lease(OTHER, NOON, NOON + MINUTE)
        await uow.commit()
    assert await waiting(backing) == (ORDER, third)
    assert await waiting(backing, minutes=1) == (OTHER, ORDER, third)


async def test_a_subject_woken_twice_is_woken_once_and_only_with_the_commit(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await uow.jobs.wake(Job.SETTLE_CHECKOUT, ORDER)
    assert await backing.jobs() == []
    for _ in range(2):
        async with backing.unit_of_work() as uow:
            await uow.jobs.wake(Job.SETTLE_CHECKOUT, ORDER)
            await uow.jobs.wake(Job.SETTLE_CHECKOUT, ORDER)
            await uow.jobs.wake(Job.SETTLE_CHECKOUT, OTHER)
            await uow.jobs.wake(Job.PROCESS_GATEWAY_EVENT, ORDER)
            await uow.commit()
    assert await backing.jobs() == [
        (Job.SETTLE_CHECKOUT, ORDER),
        (Job.SETTLE_CHECKOUT, OTHER),
        (Job.PROCESS_GATEWAY_EVENT, ORDER),
    ]
