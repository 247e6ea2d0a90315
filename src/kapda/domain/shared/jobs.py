"""Jobs: wake-ups for work whose rows are the truth.

A job names a row to look at, nothing more. Losing one delays the work until the next sweep; running one twice does
nothing the second time.
"""

from collections.abc import Sequence
from enum import Enum, unique
from typing import Protocol
from uuid import UUID


@unique
class Job(Enum):
    """The kinds of wake-up, by the name the queue knows them under.

    RELAY_EVENTS and SEND_MAIL are announced and never queued: unsent events and due mails are queues themselves.
    """

    PROCESS_GATEWAY_EVENT = "process_gateway_event"
    SETTLE_CHECKOUT = "settle_checkout"
    SEND_REFUND = "send_refund"
    RELAY_EVENTS = "relay_events"
    SEND_MAIL = "send_mail"


class Jobs(Protocol):
    """Enqueues wake-ups in the transaction of the unit of work: a rollback wakes nobody."""

    async def wake(self, job: Job, subject: UUID) -> None:
        """Have `job` look at `subject` soon after the commit. A second wake-up for the same pair is one wake-up."""
        ...

    async def wake_all(self, job: Job, subjects: Sequence[UUID]) -> None:
        """The same for many subjects, at the cost of one."""
        ...

    def announce(self, job: Job) -> None:
        """Have the workers of that kind look, after the commit, for what their own rows say is to be done."""
        ...
