"""Domain events: facts that leave the system after the commit that made them true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """Something that happened to one aggregate.

    `type` is `<aggregate>.<past participle>`, such as `order.placed`. `payload` is a snapshot taken in the transaction:
    flat, JSON-ready, without personal data beyond ids, so that a consumer needs no second look.
    """

    aggregate_type: str
    aggregate_id: UUID
    type: str
    occurred_at: datetime
    payload: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class SequencedEvent:
    """An event with its place among its aggregate's events: 1, 2, 3, without a gap."""

    sequence: int
    event: DomainEvent


class Outbox(Protocol):
    """Keeps events beside the change they tell of, in one transaction with it."""

    async def add(self, event: DomainEvent) -> None:
        """Record the event under the aggregate's next sequence number; the relays are told after the commit."""
        ...

    async def lease(self, now: datetime, until: datetime, limit: int) -> tuple[UUID, ...]:
        """Take the right to relay aggregates with unsent events, `limit` at most, the oldest event's first.

        None that another relay has, or is taking at this moment.
        """
        ...

    async def unsent(self, aggregate_ids: Collection[UUID], limit: int) -> tuple[SequencedEvent, ...]:
        """Events of these aggregates that are not marked as sent, each aggregate's in order from its first one on;
        `limit` of all together."""
        ...

    async def mark_sent(self, through: Mapping[UUID, int], at: datetime) -> None:
        """Mark each aggregate's events up to that sequence number as sent."""
        ...

    async def release(self, aggregate_ids: Collection[UUID], until: datetime) -> None:
        """Give back the rights that were taken until then; what is another's by now stays so."""
        ...


class EventSink(Protocol):
    """Where events go when they leave."""

    async def publish(self, events: Sequence[SequencedEvent]) -> None:
        """Hand the events on in their order; returns once the receiver has all of them.

        The same event may come again (at least once). Raises UnavailableError when the receiver cannot take them now.
        """
        ...
