"""Events leave into a stream in Redis, where consumers read them at their own pace."""

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

    async def publish(self, event: SequencedEvent) -> None:
        """See the port."""
        fact = event.event
        try:
            await self._client.xadd(
                self._stream,
                {
                    "id": f"{fact.aggregate_id}:{event.sequence}",
                    "type": fact.type,
                    "aggregate_type": fact.aggregate_type,
                    "aggregate": str(fact.aggregate_id),
                    "sequence": event.sequence,
                    "occurred_at": fact.occurred_at.isoformat(),
                    "payload": orjson.dumps(dict(fact.payload)),
                },
                maxlen=self._max_length,
                # Trimmed a node at a time, which costs next to nothing.
                approximate=True,
            )
        except RedisError as error:
            raise UnavailableError(
                Reason.DATABASE_UNAVAILABLE, "the event stream does not answer", retry_after=_RETRY_AFTER
            ) from error
