"""Read the audit log."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.shared.audit import AuditEntry, AuditFilter
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListAuditEntriesCommand:
    """Which entries, which page."""

    which: AuditFilter
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListAuditEntries:
    """Shows admins who did what to whom and why, the newest first."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: ListAuditEntriesCommand) -> Page[AuditEntry]:
        """A page of entries."""
        async with self.unit_of_work() as uow:
            return await uow.audit.list(command.which, command.page)
