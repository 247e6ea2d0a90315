"""The audit log in memory."""

from dataclasses import dataclass

from kapda.domain.shared.audit import AuditEntry, AuditFilter
from kapda.domain.shared.pages import Page, PageRequest


@dataclass
class InMemoryAudit:
    """Audit over a list of entries."""

    rows: list[AuditEntry]

    async def add(self, entry: AuditEntry) -> None:
        self.rows.append(entry)

    async def list(self, which: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        wanted = [
            entry
            for entry in sorted(self.rows, key=lambda entry: (entry.at, entry.id), reverse=True)
            if which.subject_id in (None, entry.subject_id) and which.actor_id in (None, entry.occasion.actor.id)
        ]
        if page.cursor is not None:
            after = page.cursor
            wanted = [entry for entry in wanted if (entry.at.isoformat(), str(entry.id)) < after]
        return Page.cut(wanted[: page.size + 1], page, lambda entry: (entry.at.isoformat(), str(entry.id)))
