"""The sweep for mails: wakes whatever is due, in case its own wake-up was lost."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.jobs import Job

# One sweep's share: it bounds how fast mails go out again after a mail server was away.
BATCH = 200


@dataclass(frozen=True, slots=True)
class WakeDueMails:
    """Enqueues a job for every mail that is due. Several workers may sweep."""

    unit_of_work: Callable[[], NotificationUnitOfWork]
    clock: Clock

    async def execute(self) -> int:
        """How many were woken."""
        async with self.unit_of_work() as uow:
            due = await uow.mails.due(self.clock.now(), BATCH)
            await uow.jobs.wake_all(Job.SEND_MAIL, due)
            await uow.commit()
        return len(due)
