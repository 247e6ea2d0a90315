"""The sweep: wakes whatever is due, in case its own wake-up was lost."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.jobs import Job

# One sweep's share of each kind; what is left over waits for the next sweep a few seconds later.
BATCH = 200


@dataclass(frozen=True, slots=True)
class WakeDueWork:
    """Enqueues a job for every due checkout, delivery and refund, and for unsent events. Several workers may sweep."""

    unit_of_work: Callable[[], OrderUnitOfWork]
    clock: Clock

    async def execute(self) -> int:
        """How many were woken."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            checkouts = await uow.checkouts.due_for_check(now, BATCH)
            events = await uow.gateway_events.due(now, BATCH)
            refunds = await uow.refunds.due(now, BATCH)
            aggregates = await uow.outbox.with_unsent_events(now, BATCH)
            for checkout_id in checkouts:
                await uow.jobs.wake(Job.SETTLE_CHECKOUT, checkout_id)
            for event in events:
                await uow.jobs.wake(Job.PROCESS_GATEWAY_EVENT, event)
            for refund in refunds:
                await uow.jobs.wake(Job.SEND_REFUND, refund)
            for aggregate in aggregates:
                await uow.jobs.wake(Job.RELAY_EVENTS, aggregate)
            await uow.commit()
        return len(checkouts) + len(events) + len(refunds) + len(aggregates)
