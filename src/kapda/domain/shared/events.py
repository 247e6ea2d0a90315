"""Domain events: facts that leave the system after the commit that made them true."""

from collections.abc import Mapping
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
        """Record the event under the aggregate's next sequence number and wake the relay after the commit."""
        ...

    async def lease(self, aggregate_id: UUID, now: datetime, until: datetime) -> bool:
        """Take the right to relay the aggregate's events; False while another worker has it."""
        ...

    async def unsent(self, aggregate_id: UUID, limit: int) -> tuple[SequencedEvent, ...]:
        """The first events not marked as sent, in order."""
        ...

    async def mark_sent(self, aggregate_id: UUID, through: int, at: datetime) -> None:
        """Mark events up to that sequence number as sent."""
        ...

    async def release(self, aggregate_id: UUID) -> None:
        """Give the right back."""
        ...

    async def with_unsent_events(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        """Aggregates with events that nobody is relaying at this moment, oldest first."""
        ...


class EventSink(Protocol):
    """Where events go when they leave."""

    async def publish(self, event: SequencedEvent) -> None:
        """Hand the event on; returns once the receiver has it. The same event may come again (at least once).

        Raises UnavailableError when the receiver cannot take it now.
        """
        ...
