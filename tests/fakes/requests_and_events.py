"""The request log, the outbox and the jobs in memory."""

from collections.abc import Collection, Mapping, Sequence
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

    def announce(self, job: Job) -> None:
        """Whoever looks by itself needs no telling in a test."""

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
        self._jobs.announce(Job.RELAY_EVENTS)

    async def lease(self, now: datetime, until: datetime, limit: int) -> tuple[UUID, ...]:
        oldest = [
            (min(unsent), aggregate_id)
            for aggregate_id, rows in self._tables.outbox.items()
            if (unsent := [row.event.occurred_at for row in rows if row.sent_at is None])
            and not self._leased(aggregate_id, now)
        ]
        taken = tuple(aggregate_id for _, aggregate_id in sorted(oldest)[:limit])
        self._tables.relay_leases.update(dict.fromkeys(taken, until))
        return taken

    async def unsent(self, aggregate_ids: Collection[UUID], limit: int) -> tuple[SequencedEvent, ...]:
        found = [
            SequencedEvent(row.sequence, row.event)
            for aggregate_id in sorted(aggregate_ids)
            for row in self._tables.outbox.get(aggregate_id, ())
            if row.sent_at is None
        ]
        return tuple(found[:limit])

    async def mark_sent(self, through: Mapping[UUID, int], at: datetime) -> None:
        for aggregate_id, last in through.items():
            self._tables.outbox[aggregate_id] = tuple(
                replace(row, sent_at=at) if row.sequence <= last and row.sent_at is None else row
                for row in self._tables.outbox.get(aggregate_id, ())
            )

    async def release(self, aggregate_ids: Collection[UUID], until: datetime) -> None:
        for aggregate_id in aggregate_ids:
            if self._tables.relay_leases.get(aggregate_id) == until:
                del self._tables.relay_leases[aggregate_id]

    def _leased(self, aggregate_id: UUID, now: datetime) -> bool:
        until = self._tables.relay_leases.get(aggregate_id)
        return until is not None and now < until
