"""The request log, the outbox and the jobs in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.fakes.tables import OutboxRow, RequestRow, Tables

T = TypeVar("T")


def _name(key: RequestKey) -> tuple[UUID, str, RequestId]:
    return key.scope, key.method, key.request_id


class InMemoryRequestLog:
    """RequestLog."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(
        self, key: RequestKey, answer_type: type[T], resource_id: UUID | None = None
    ) -> EarlierRequest[T] | None:
        row = self._tables.requests.get(_name(key))
        if row is None:
            self._tables.requests[_name(key)] = RequestRow(key.fingerprint, resource_id)
            return None
        assert row.answer is None or isinstance(row.answer, answer_type), "the answer kept is of another type"
        earlier = EarlierRequest(row.fingerprint, row.resource_id, row.answer)
        earlier.check_same_body(key)
        return earlier

    async def rebind(self, key: RequestKey, resource_id: UUID) -> None:
        row = self._tables.requests.get(_name(key))
        if row is not None:
            self._tables.requests[_name(key)] = replace(row, resource_id=resource_id)

    async def answer(self, key: RequestKey, answer: object) -> None:
        row = self._tables.requests.get(_name(key))
        if row is not None and row.answer is None:
            self._tables.requests[_name(key)] = replace(row, answer=answer)


class InMemoryJobs:
    """Jobs."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def wake(self, job: Job, subject: UUID) -> None:
        self._tables.jobs[job, subject] = None

    async def wake_all(self, job: Job, subjects: Sequence[UUID]) -> None:
        for subject in subjects:
            await self.wake(job, subject)


class InMemoryOutbox:
    """Outbox."""

    def __init__(self, tables: Tables, jobs: InMemoryJobs) -> None:
        self._tables = tables
        self._jobs = jobs

    async def add(self, event: DomainEvent) -> None:
        rows = self._tables.outbox.get(event.aggregate_id, ())
        self._tables.outbox[event.aggregate_id] = (*rows, OutboxRow(len(rows) + 1, event))
        await self._jobs.wake(Job.RELAY_EVENTS, event.aggregate_id)

    async def lease(self, aggregate_id: UUID, now: datetime, until: datetime) -> bool:
        if aggregate_id not in self._tables.outbox or self._leased(aggregate_id, now):
            return False
        self._tables.relay_leases[aggregate_id] = until
        return True

    async def unsent(self, aggregate_id: UUID, limit: int) -> tuple[SequencedEvent, ...]:
        rows = self._tables.outbox.get(aggregate_id, ())
        unsent = [SequencedEvent(row.sequence, row.event) for row in rows if row.sent_at is None]
        return tuple(unsent[:limit])

    async def mark_sent(self, aggregate_id: UUID, through: int, at: datetime) -> None:
        self._tables.outbox[aggregate_id] = tuple(
            replace(row, sent_at=at) if row.sequence <= through and row.sent_at is None else row
            for row in self._tables.outbox.get(aggregate_id, ())
        )

    async def release(self, aggregate_id: UUID) -> None:
        self._tables.relay_leases.pop(aggregate_id, None)

    async def with_unsent_events(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        oldest = [
            (min(unsent), aggregate_id)
            for aggregate_id, rows in self._tables.outbox.items()
            if (unsent := [row.event.occurred_at for row in rows if row.sent_at is None])
            and not self._leased(aggregate_id, at)
        ]
        return tuple(aggregate_id for _, aggregate_id in sorted(oldest)[:limit])

    def _leased(self, aggregate_id: UUID, now: datetime) -> bool:
        until = self._tables.relay_leases.get(aggregate_id)
        return until is not None and now < until
