"""The sweep: wakes whatever is due, in case its own wake-up was lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.jobs import Job

# One sweep's share of each kind; what is left over waits for the next sweep a few seconds later.
BATCH = 200


@dataclass(frozen=True, slots=True)
class WakeDueWork:
    """Enqueues a job for every due checkout, delivery and refund. Several workers may sweep.

    Each kind in a transaction of its own: a purchase that wakes things of two kinds may do so in another order, and
    neither may wait for the other in a ring.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    clock: Clock

    async def execute(self) -> int:
        """How many were woken."""
        now = self.clock.now()
        return (
            await self._wake(Job.SETTLE_CHECKOUT, lambda uow: uow.checkouts.due_for_check(now, BATCH))
            + await self._wake(Job.PROCESS_GATEWAY_EVENT, lambda uow: uow.gateway_events.due(now, BATCH))
            + await self._wake(Job.SEND_REFUND, lambda uow: uow.refunds.due(now, BATCH))
        )

    async def _wake(self, job: Job, due: Callable[[OrderUnitOfWork], Awaitable[Sequence[UUID]]]) -> int:
        async with self.unit_of_work() as uow:
            subjects = await due(uow)
            await uow.jobs.wake_all(job, subjects)
            await uow.commit()
        return len(subjects)
