"""Sends events on, in each aggregate's order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kapda.domain.ops.ports import RelayUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import EventSink, SequencedEvent

# How long one worker may be at one aggregate. A worker that was killed leaves its events waiting for the rest of it.
LEASE = timedelta(seconds=30)
# No event is begun this close to the end of the lease: publishing one, and noting it, takes well under a second.
MARGIN = timedelta(seconds=5)
# Events read at once; so many at most are sent again when the worker dies before it noted them as sent.
BATCH = 100


@dataclass(frozen=True, slots=True)
class RelayEventsCommand:
    """Whose events."""

    aggregate_id: UUID


@dataclass(frozen=True, slots=True)
class RelayEvents:
    """Publishes an aggregate's unsent events, first to last, until there are none or the lease nears its end.

    At least once: an event counts as sent only after the sink had it, so a crash in between sends it again. In order:
    the first failure ends the run, and only the holder of the lease publishes. What is left, or arrives while the last
    look is being taken, is found by the sweep. Raises UnavailableError when the sink or the database cannot take part.
    """

    unit_of_work: Callable[[], RelayUnitOfWork]
    sink: EventSink
    clock: Clock

    async def execute(self, command: RelayEventsCommand) -> int:
        """How many events were sent; none while another worker is at the aggregate."""
        now = self.clock.now()
        lease_until = now + LEASE
        async with self.unit_of_work() as uow:
            if not await uow.outbox.lease(command.aggregate_id, now, lease_until):
                return 0
            await uow.commit()
        sent = 0
        try:
            while batch := await self._unsent(command.aggregate_id, lease_until):
                sent += await self._send(command.aggregate_id, batch, lease_until)
        finally:
            await self._release(command.aggregate_id, lease_until)
        return sent

    async def _unsent(self, aggregate_id: UUID, lease_until: datetime) -> tuple[SequencedEvent, ...]:
        if self._is_ending(lease_until):
            return ()
        async with self.unit_of_work() as uow:
            return await uow.outbox.unsent(aggregate_id, BATCH)

    async def _send(self, aggregate_id: UUID, batch: tuple[SequencedEvent, ...], lease_until: datetime) -> int:
        sent: list[SequencedEvent] = []
        try:
            for event in batch:
                if self._is_ending(lease_until):
                    break
                await self.sink.publish(event)
                sent.append(event)
        finally:
            # Also after a failure: what the sink has is not sent again for the sake of what it has not.
            if sent:
                async with self.unit_of_work() as uow:
                    await uow.outbox.mark_sent(aggregate_id, sent[-1].sequence, self.clock.now())
                    await uow.commit()
        return len(sent)

    async def _release(self, aggregate_id: UUID, lease_until: datetime) -> None:
        # A lease that has run out may be another's by now, and that one is not ours to give back.
        if self.clock.now() >= lease_until:
            return
        async with self.unit_of_work() as uow:
            await uow.outbox.release(aggregate_id)
            await uow.commit()

    def _is_ending(self, lease_until: datetime) -> bool:
        return self.clock.now() >= lease_until - MARGIN
