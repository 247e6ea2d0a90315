"""The inbox of webhook deliveries in memory."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState, ReceivedEvent
from tests.fakes.tables import GatewayEventRow, Tables


class InMemoryGatewayEvents:
    """GatewayEvents."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def store(self, new_id: UUID, event: ReceivedEvent, at: datetime) -> GatewayEvent:
        for row in self._tables.gateway_events.values():
            if event.event_id == row.received.event_id or event.entity_key == row.received.entity_key:
                return row.event
        state = event.initial_state
        kept = GatewayEvent(new_id, event.event_type, event.gateway_payment_id, event.gateway_refund_id, state, 0, at)
        due = at if state is GatewayEventState.PENDING else None
        self._tables.gateway_events[new_id] = GatewayEventRow(kept, event, due)
        return kept

    async def get(self, event: UUID) -> GatewayEvent | None:
        row = self._tables.gateway_events.get(event)
        return row.event if row is not None else None

    async def finish(self, event: UUID, outcome: str, at: datetime) -> None:
        row = self._pending(event)
        if row is not None:
            done = replace(row.event, state=GatewayEventState.PROCESSED)
            self._tables.gateway_events[event] = replace(row, event=done, outcome=outcome, next_attempt_at=None)

    async def postpone(self, event: UUID, attempts: int, next_attempt_at: datetime) -> None:
        row = self._pending(event)
        if row is not None:
            tried = replace(row.event, attempts=attempts)
            self._tables.gateway_events[event] = replace(row, event=tried, next_attempt_at=next_attempt_at)

    async def due(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        due = [
            (row.next_attempt_at, event)
            for event, row in self._tables.gateway_events.items()
            if row.next_attempt_at is not None and row.next_attempt_at <= at
        ]
        return tuple(event for _, event in sorted(due)[:limit])

    def _pending(self, event: UUID) -> GatewayEventRow | None:
        row = self._tables.gateway_events.get(event)
        return row if row is not None and row.event.state is GatewayEventState.PENDING else None
