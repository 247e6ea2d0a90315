"""The audit log in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.json_columns import to_json
from kapda.domain.shared.audit import Actor, ActorKind, AuditAction, AuditEntry, AuditFilter, Occasion
from kapda.domain.shared.pages import Page, PageRequest

_ADD = text("""
    INSERT INTO audit_entries (id, at, actor_kind, actor_id, action, subject_type, subject_id, reason, request_id, details)
    VALUES (:id, :at, :actor_kind, :actor_id, :action, :subject_type, :subject_id, :reason, :request_id,
        CAST(:details AS jsonb))
""")
_ADD_TRACES = text("""
    INSERT INTO audit_traces (entry_id, user_id, at, traces) VALUES (:entry_id, :user_id, :at, CAST(:traces AS jsonb))
""")
_LIST = text("""
    SELECT id, e.at, actor_kind, actor_id, action, subject_type, subject_id, reason, request_id, details, traces
    FROM audit_entries e LEFT JOIN audit_traces t ON t.entry_id = e.id
    WHERE (CAST(:subject_id AS uuid) IS NULL OR subject_id = :subject_id)
      AND (CAST(:actor_id AS uuid) IS NULL OR actor_id = :actor_id)
      AND (CAST(:at AS timestamptz) IS NULL OR (e.at, id) < (:at, :id))
    ORDER BY e.at DESC, id DESC LIMIT :limit
""")


class PostgresAudit:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> None:
        """See the port."""
        await self._connection.execute(
            _ADD,
            {
                "id": entry.id,
                "at": entry.at,
                "actor_kind": entry.occasion.actor.kind.value,
                "actor_id": entry.occasion.actor.id,
                "action": entry.action.value,
                "subject_type": entry.subject_type,
                "subject_id": entry.subject_id,
                "reason": entry.occasion.reason,
                "request_id": entry.occasion.call_id,
                "details": to_json(entry.details),
            },
        )
        if entry.traces:
            await self._connection.execute(
                _ADD_TRACES,
                {
                    "entry_id": entry.id,
                    "user_id": entry.subject_id,
                    "at": entry.at,
                    "traces": to_json(entry.traces),
                },
            )

    async def list(self, which: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """See the port."""
        at, entry_id = page.cursor or (None, None)
        rows = await self._connection.execute(
            _LIST,
            {
                "subject_id": which.subject_id,
                "actor_id": which.actor_id,
                "at": datetime.fromisoformat(at) if at else None,
                "id": UUID(entry_id) if entry_id else None,
                "limit": page.size + 1,
            },
        )
        return Page.cut([_entry(row) for row in rows], page, lambda entry: (entry.at.isoformat(), str(entry.id)))


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        occasion=Occasion(Actor(ActorKind(row.actor_kind), row.actor_id), row.request_id, row.reason),
        action=AuditAction(row.action),
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        details=row.details,
        traces=row.traces or {},
    )
