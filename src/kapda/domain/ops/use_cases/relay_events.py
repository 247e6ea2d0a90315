"""Sends events on, many aggregates' at once, each aggregate's in order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kapda.domain.ops.ports import RelayUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import EventSink, SequencedEvent

# How long one worker may be at its aggregates. A worker that was killed leaves their events waiting for the rest of it.
LEASE = timedelta(seconds=30)
# Nothing is published this close to the end of the lease: publishing, and noting it, takes well under a second.
MARGIN = timedelta(seconds=5)
# Taken at once: a crowd's orders leave in few steps, and several workers still find something each.
AGGREGATES = 100
# Events sent at once; so many at most are sent again when the worker dies before it noted them as sent.
BATCH = 200


@dataclass(frozen=True, slots=True)
class _Share:
    """What one worker took."""

    aggregate_ids: tuple[UUID, ...]
    events: tuple[SequencedEvent, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class RelayEvents:
    """Publishes unsent events until there are none that another worker does not have.

    At least once: events count as sent only after the sink had them, so a crash in between sends them again. In order:
    only the holder of an aggregate's lease publishes its events, from the first unsent one on, and a failure ends the
    run. Raises UnavailableError when the sink or the database cannot take part.
    """

    unit_of_work: Callable[[], RelayUnitOfWork]
    sink: EventSink
    clock: Clock

    async def execute(self) -> int:
        """How many events were sent."""
        sent = 0
        while (share := await self._take()) is not None:
            sent += await self._send(share)
        return sent

    async def _take(self) -> _Share | None:
        now = self.clock.now()
        until = now + LEASE
        async with self.unit_of_work() as uow:
            aggregate_ids = await uow.outbox.lease(now, until, AGGREGATES)
            if not aggregate_ids:
                return None
            events = await uow.outbox.unsent(aggregate_ids, BATCH)
            await uow.commit()
        return _Share(aggregate_ids, events, until)

    async def _send(self, share: _Share) -> int:
        through: dict[UUID, int] = {}
        try:
            if share.events and self.clock.now() < share.until - MARGIN:
                await self.sink.publish(share.events)
                through = {event.event.aggregate_id: event.sequence for event in share.events}
        finally:
            # Also after a failure: others may have more luck, and need not wait for this lease to run out.
            async with self.unit_of_work() as uow:
                if through:
                    await uow.outbox.mark_sent(through, self.clock.now())
                await uow.outbox.release(share.aggregate_ids, share.until)
                await uow.commit()
        return len(share.events) if through else 0
