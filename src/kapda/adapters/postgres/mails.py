"""The queue of mails in PostgreSQL."""

from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.domain.notifications.mail import Mail, MailState
from kapda.domain.shared.ids import LinkId, MailId, UserId
from kapda.domain.shared.jobs import Job, Jobs
from kapda.domain.shared.mails import MailKind, MailRequest

# A second mail for the same event, or for an address that waits to be looked up, meets one of two unique indexes.
_QUEUE = text("""
    INSERT INTO mails (id, kind, user_id, address, subject_id, queued_at, next_attempt_at)
    SELECT id, kind, user_id, address, subject_id, at, at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:user_ids AS uuid[]), CAST(:addresses AS text[]),
        CAST(:subject_ids AS uuid[]), CAST(:ats AS timestamptz[])
    ) AS m (id, kind, user_id, address, subject_id, at)
    ON CONFLICT DO NOTHING
    RETURNING id
""")
# One statement takes and leases: of several workers one finds the mail due.
_TAKE = text("""
    UPDATE mails SET attempts = attempts + 1, next_attempt_at = :until
    WHERE id = :id AND state = 'queued' AND next_attempt_at <= :at
    RETURNING id, kind, user_id, address, subject_id, link_id, attempts, queued_at
""")
_ADDRESSED = text("UPDATE mails SET user_id = :user_id, address = NULL WHERE id = :id AND state = 'queued'")
_LINKED = text("UPDATE mails SET link_id = :link_id WHERE id = :id AND state = 'queued'")
_POSTPONE = text("UPDATE mails SET next_attempt_at = :next_attempt_at WHERE id = :id AND state = 'queued'")
_FINISH = text("""
    UPDATE mails SET state = :state, outcome = :outcome, finished_at = :at, next_attempt_at = NULL, address = NULL
    WHERE id = :id AND state = 'queued'
""")
_DUE = text("SELECT id FROM mails WHERE next_attempt_at <= :at ORDER BY next_attempt_at, id LIMIT :limit")


class PostgresMails:
    """Mails in the transaction of a connection. See the port."""

    def __init__(self, connection: Connection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    async def queue(self, *mails: MailRequest) -> None:
        """See the port."""
        # In one order everywhere: two who queue the same mails do not wait for each other in a ring.
        ordered = sorted(mails, key=lambda mail: (mail.kind.value, str(mail.subject_id), mail.id))
        queued = await self._connection.scalars(
            _QUEUE,
            {
                "ids": [mail.id for mail in ordered],
                "kinds": [mail.kind.value for mail in ordered],
                "user_ids": [mail.user_id for mail in ordered],
                "addresses": [mail.address for mail in ordered],
                "subject_ids": [mail.subject_id for mail in ordered],
                "ats": [mail.queued_at for mail in ordered],
            },
        )
        await self._jobs.wake_all(Job.SEND_MAIL, queued)

    async def take(self, mail_id: MailId, at: datetime, until: datetime) -> Mail | None:
        """See the port."""
        row = (await self._connection.execute(_TAKE, {"id": mail_id, "at": at, "until": until})).one_or_none()
        if row is None:
            return None
        return Mail(
            id=MailId(row.id),
            kind=MailKind(row.kind),
            user_id=None if row.user_id is None else UserId(row.user_id),
            address=row.address,
            subject_id=row.subject_id,
            link_id=None if row.link_id is None else LinkId(row.link_id),
            attempts=row.attempts,
            queued_at=row.queued_at,
        )

    async def addressed(self, mail_id: MailId, user_id: UserId) -> None:
        """See the port."""
        await self._connection.execute(_ADDRESSED, {"id": mail_id, "user_id": user_id})

    async def linked(self, mail_id: MailId, link_id: LinkId) -> None:
        """See the port."""
        await self._connection.execute(_LINKED, {"id": mail_id, "link_id": link_id})

    async def postpone(self, mail_id: MailId, next_attempt_at: datetime) -> None:
        """See the port."""
        await self._connection.execute(_POSTPONE, {"id": mail_id, "next_attempt_at": next_attempt_at})

    async def finish(self, mail_id: MailId, state: MailState, detail: str, at: datetime) -> None:
        """See the port."""
        values = {"id": mail_id, "state": state.value, "outcome": detail, "at": at}
        await self._connection.execute(_FINISH, values)

    async def due(self, at: datetime, limit: int) -> tuple[MailId, ...]:
        """See the port."""
        return tuple(await self._connection.scalars(_DUE, {"at": at, "limit": limit}))
