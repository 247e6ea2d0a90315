"""What operations need from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kapda.domain.ops.promises import Finding
from kapda.domain.shared.events import Outbox
from kapda.domain.shared.unit_of_work import UnitOfWork


class PromiseAuditor(Protocol):
    """Asks the rows whether the promises hold, from one snapshot of all of them."""

    async def findings(self, now: datetime) -> Sequence[Finding]:
        """The result of every check. What is allowed to lag (unsent events, unprocessed deliveries) may be some minutes
        old at `now`."""
        ...


class RelayUnitOfWork(UnitOfWork, Protocol):
    """What relaying events needs."""

    @property
    def outbox(self) -> Outbox: ...
