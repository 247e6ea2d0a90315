"""The event stream in a real Valkey."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from redis.asyncio import Redis

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.event_stream import STREAM, RedisEventStream
from kapda.domain.shared.errors import UnavailableError
from kapda.domain.shared.events import DomainEvent, Scalar, SequencedEvent

ORDER = UUID(int=0x0D1)
AT = datetime(2026, 3, 14, 6, 30, tzinfo=UTC)


def event(sequence: int) -> SequencedEvent:
    payload: dict[str, Scalar] = {
        "order_number": "K100001",
        "total_minor": 149_900,
        "gift": False,
        "note": "शुभ",
        "coupon": None,
    }
    return SequencedEvent(sequence, DomainEvent("order", ORDER, "order.placed", AT, payload))


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = make_client(redis_url)
    yield client
    await client.aclose()


async def entries(client: Redis) -> list[dict[Any, Any]]:
    """The fields of every entry, oldest first."""
    return [fields or {} for _, fields in await client.xrange(STREAM) or []]


async def test_an_event_is_an_entry_that_says_what_happened_to_whom_and_when(client: Redis) -> None:
    await RedisEventStream(client).publish([event(7)])
    (fields,) = await entries(client)
    payload = orjson.loads(fields.pop("payload"))
    assert fields == {
        "id": f"{ORDER}:7",
        "type": "order.placed",
        "aggregate_type": "order",
        "aggregate": str(ORDER),
        "sequence": "7",
        "occurred_at": "2026-03-14T06:30:00+00:00",
    }
    assert payload == event(7).event.payload


async def test_events_stand_in_the_order_they_were_published_in(client: Redis) -> None:
    stream = RedisEventStream(client)
    await stream.publish([event(1), event(2), event(3)])
    await stream.publish([event(4), event(5)])
    assert [fields["sequence"] for fields in await entries(client)] == ["1", "2", "3", "4", "5"]


async def test_the_same_event_sent_again_has_the_same_id(client: Redis) -> None:
    stream = RedisEventStream(client)
    await stream.publish([event(1)])
    await stream.publish([event(1)])
    assert len({fields["id"] for fields in await entries(client)}) == 1


async def test_the_stream_is_trimmed(client: Redis) -> None:
    stream = RedisEventStream(client, max_length=100)
    for hundred in range(5):
        await stream.publish([event(100 * hundred + n) for n in range(1, 101)])
    assert await client.xlen(STREAM) < 300


async def test_a_redis_that_is_down_is_unavailable() -> None:
    nowhere = make_client(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError):
        await RedisEventStream(nowhere).publish([event(1)])
    await nowhere.aclose()
