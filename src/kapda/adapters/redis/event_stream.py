"""Events leave into a stream in Redis, where consumers read them at their own pace."""

from collections.abc import Sequence
from typing import Any

import orjson
from redis import RedisError
from redis.asyncio import Redis

from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.events import SequencedEvent

STREAM = "kapda:events"
# About so many of the newest events are kept for consumers; the outbox keeps all of them.
MAX_LENGTH = 100_000
# Seconds until a stream that did not answer is worth another try.
_RETRY_AFTER = 1.0


class RedisEventStream:
    """An EventSink that appends to one stream.

    Fields of an entry: `id`, the same each time the same event is sent, by which consumers drop what they have had;
    `type`, `aggregate_type`, `aggregate` and `sequence`, which order one aggregate's events; `occurred_at` in ISO 8601;
    and `payload`, a JSON object.
    """

    def __init__(self, client: Redis, *, stream: str = STREAM, max_length: int = MAX_LENGTH) -> None:
        self._client = client
        self._stream = stream
        self._max_length = max_length

    async def publish(self, events: Sequence[SequencedEvent]) -> None:
        """See the port. All of them or none: one transaction of Redis, in one round trip."""
        pipeline: Any = self._client.pipeline(transaction=True)
        for event in events:
            # Trimmed a node at a time, which costs next to nothing.
            pipeline.xadd(self._stream, _fields(event), maxlen=self._max_length, approximate=True)
        try:
            await pipeline.execute()
        except RedisError as error:
            raise UnavailableError(
                Reason.DATABASE_UNAVAILABLE, "the event stream does not answer", retry_after=_RETRY_AFTER
            ) from error


def _fields(event: SequencedEvent) -> dict[str, str | int | bytes]:
    fact = event.event
    return {
        "id": f"{fact.aggregate_id}:{event.sequence}",
        "type": fact.type,
        "aggregate_type": fact.aggregate_type,
        "aggregate": str(fact.aggregate_id),
        "sequence": event.sequence,
        "occurred_at": fact.occurred_at.isoformat(),
        "payload": orjson.dumps(dict(fact.payload)),
    }
