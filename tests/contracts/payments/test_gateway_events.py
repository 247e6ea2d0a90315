"""The inbox of deliveries as its port promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState, ReceivedEvent
from tests.contracts.backing import Backing
from tests.fakes.samples import NOON

MINUTE = timedelta(minutes=1)
CAPTURED = ReceivedEvent(
    event_id="evt00000000001",
    entity_key="payment.captured:pay_1:captured",
    event_type="payment.captured",
    gateway_payment_id="pay_1",
    gateway_order_id="order_1",
    gateway_refund_id=None,
    body=b'{"event":"payment.captured"}\x00\xff',
)
NEVER = timedelta(days=3_650)


def delivery(number: int) -> ReceivedEvent:
    """One fact after the other."""
    return replace(CAPTURED, event_id=f"evt{number:011}", entity_key=f"payment.captured:pay_{number}:captured")


async def store(
    backing: Backing, received: ReceivedEvent = CAPTURED, number: int = 1, at: datetime = NOON
) -> GatewayEvent:
    async with backing.unit_of_work() as uow:
        event = await uow.gateway_events.store(UUID(int=number), received, at)
        await uow.commit()
    return event


async def due(backing: Backing, at: datetime, limit: int = 10) -> tuple[UUID, ...]:
    async with backing.unit_of_work() as uow:
        return await uow.gateway_events.due(at, limit)


async def test_a_delivery_that_asks_something_of_us_is_due_at_once(backing: Backing) -> None:
    event = await store(backing)
    assert event == GatewayEvent(UUID(int=1), "payment.captured", "pay_1", None, GatewayEventState.PENDING, 0, NOON)
    async with backing.unit_of_work() as uow:
        assert await uow.gateway_events.get(event.id) == event
    assert await due(backing, NOON) == (event.id,)


async def test_a_delivery_about_a_refund_is_due_too(backing: Backing) -> None:
    received = replace(
        CAPTURED,
        event_type="refund.processed",
        entity_key="refund.processed:rfnd_1:processed",
        gateway_refund_id="rfnd_1",
    )
    event = await store(backing, received)
    assert (event.gateway_refund_id, event.state) == ("rfnd_1", GatewayEventState.PENDING)
    assert await due(backing, NOON) == (event.id,)


async def test_a_delivery_that_asks_nothing_is_kept_and_never_due(backing: Backing) -> None:
    received = replace(
        CAPTURED,
        event_type="tea.ready",
        entity_key="tea.ready:sha256:0",
        gateway_payment_id=None,
        gateway_order_id=None,
    )
    event = await store(backing, received)
    assert (event.state, event.gateway_payment_id) == (GatewayEventState.IGNORED, None)
    assert await due(backing, NOON + NEVER) == ()


async def test_the_same_id_or_the_same_fact_is_the_same_event(backing: Backing) -> None:
    event = await store(backing)
    assert await store(backing, number=2, at=NOON + MINUTE) == event
    assert await store(backing, replace(CAPTURED, event_id="evt00000000002"), 3) == event
    assert await store(backing, replace(CAPTURED, entity_key="payment.captured:pay_1:refunded"), 4) == event
    async with backing.unit_of_work() as uow:
        assert await uow.gateway_events.get(UUID(int=2)) is None
    assert await due(backing, NOON + NEVER) == (event.id,)


async def test_another_fact_under_another_id_is_another_event(backing: Backing) -> None:
    first, second = await store(backing, delivery(1), 1), await store(backing, delivery(2), 2)
    assert first.id != second.id


async def test_a_finished_event_is_not_due_and_stays_as_it_is(backing: Backing) -> None:
    event = await store(backing)
    async with backing.unit_of_work() as uow:
        await uow.gateway_events.finish(event.id, "placed", NOON + MINUTE)
        await uow.gateway_events.finish(event.id, "waiting", NOON + 2 * MINUTE)
        await uow.gateway_events.postpone(event.id, 5, NOON + 3 * MINUTE)
        await uow.commit()
    processed = replace(event, state=GatewayEventState.PROCESSED)
    assert await store(backing, number=2) == processed
    assert await due(backing, NOON + NEVER) == ()


async def test_an_ignored_event_is_neither_finished_nor_postponed(backing: Backing) -> None:
    event = await store(backing, replace(CAPTURED, event_type="payment.failed"))
    async with backing.unit_of_work() as uow:
        await uow.gateway_events.finish(event.id, "placed", NOON)
        await uow.gateway_events.postpone(event.id, 1, NOON)
        assert await uow.gateway_events.get(event.id) == event
        await uow.commit()
    assert await due(backing, NOON + NEVER) == ()


async def test_a_postponed_event_is_due_when_its_time_comes(backing: Backing) -> None:
    event = await store(backing)
    async with backing.unit_of_work() as uow:
        await uow.gateway_events.postpone(event.id, 3, NOON + MINUTE)
        await uow.commit()
    assert await due(backing, NOON + MINUTE - timedelta(microseconds=1)) == ()
    assert await due(backing, NOON + MINUTE) == (event.id,)
    async with backing.unit_of_work() as uow:
        assert await uow.gateway_events.get(event.id) == replace(event, attempts=3)


async def test_events_are_due_longest_first_and_no_more_than_asked_for(backing: Backing) -> None:
    for number, minutes in ((1, 3), (2, 1), (3, 2)):
        await store(backing, delivery(number), number, NOON + minutes * MINUTE)
    assert await due(backing, NOON + 3 * MINUTE) == (UUID(int=2), UUID(int=3), UUID(int=1))
    assert await due(backing, NOON + 3 * MINUTE, 2) == (UUID(int=2), UUID(int=3))
    assert await due(backing, NOON + 2 * MINUTE) == (UUID(int=2), UUID(int=3))


async def test_what_is_not_there_is_none_and_nothing_to_finish(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.gateway_events.get(UUID(int=9)) is None
        await uow.gateway_events.finish(UUID(int=9), "placed", NOON)
        await uow.gateway_events.postpone(UUID(int=9), 1, NOON)
