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
        return await uow.outbox.unsent([aggregate], limit)


async def leased(backing: Backing, minutes: int = 0, limit: int = 10) -> list[UUID]:
    """What a relay takes then, for a minute."""
    async with backing.unit_of_work() as uow:
        taken = await uow.outbox.lease(NOON + minutes * MINUTE, NOON + (minutes + 1) * MINUTE, limit)
        await uow.commit()
    return sorted(taken)


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


async def test_a_rollback_records_no_event_and_an_event_queues_no_job(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await uow.outbox.add(event())
    assert await unsent(backing) == ()
    await add(backing, event(), event(kind="order.packed"))
    assert await backing.jobs() == []


async def test_sent_events_are_not_sent_again(backing: Backing) -> None:
    await add(backing, event(), event(kind="order.packed"), event(kind="order.sent"), event(OTHER))
    async with backing.unit_of_work() as uow:
        await uow.outbox.mark_sent({ORDER: 2, OTHER: 1}, NOON)
        await uow.commit()
    assert await unsent(backing) == (SequencedEvent(3, event(kind="order.sent")),)
    assert await unsent(backing, OTHER) == ()
    async with backing.unit_of_work() as uow:
        await uow.outbox.mark_sent({ORDER: 3}, NOON)
        await uow.commit()
    assert (await unsent(backing), await leased(backing)) == ((), [])
    await add(backing, event(kind="order.delivered"))
    assert [one.sequence for one in await unsent(backing)] == [4]


async def test_events_of_several_aggregates_are_read_together_each_in_its_order(backing: Backing) -> None:
    await add(backing, event(), event(OTHER), event(kind="order.packed"))
    async with backing.unit_of_work() as uow:
        together = await uow.outbox.unsent([OTHER, ORDER], 10)
        assert await uow.outbox.unsent([OTHER, ORDER], 2) == together[:2]
    assert [(one.event.aggregate_id, one.sequence) for one in together] == [(ORDER, 1), (ORDER, 2), (OTHER, 1)]


async def test_one_relay_has_an_aggregate_at_a_time(backing: Backing) -> None:
    await add(backing, event(), event(OTHER))
    assert await leased(backing) == [ORDER, OTHER]
    assert await leased(backing) == []
    async with backing.unit_of_work() as uow:
        await uow.outbox.release([ORDER], NOON + MINUTE)
        await uow.outbox.release([OTHER], NOON + 2 * MINUTE)
        await uow.commit()
    assert await leased(backing) == [ORDER], "a lease with another end is another's"
    assert await leased(backing, minutes=1) == [ORDER, OTHER], "a lease runs out"


async def test_aggregates_without_unsent_events_are_nobodys_work(backing: Backing) -> None:
    assert await leased(backing) == []
    async with backing.unit_of_work() as uow:
        await uow.outbox.release([ORDER], NOON)
        await uow.outbox.mark_sent({ORDER: 1}, NOON)
        await uow.commit()
    assert await unsent(backing) == ()


async def test_the_oldest_events_are_taken_first(backing: Backing) -> None:
    third = UUID(int=0x0F)
    await add(backing, event(third, minutes=3), event(ORDER, minutes=2), event(OTHER, minutes=1), event(OTHER))
    assert await leased(backing, limit=1) == [OTHER]
    assert await leased(backing, limit=1) == [ORDER]
    assert await leased(backing) == [third]


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
