"""The queue of mails in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.domain.notifications.mail import Mail, MailOutcome, RefundMail
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
""")
# The same unique index, and the same order.
_QUEUE_TO_PAYERS = text("""
    INSERT INTO mails (id, kind, user_id, subject_id, queued_at, next_attempt_at)
    SELECT m.id, m.kind, c.customer_id, m.refund_id, m.at, m.at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:refund_ids AS uuid[]), CAST(:ats AS timestamptz[])
    ) AS m (id, kind, refund_id, at)
    JOIN refunds r ON r.id = m.refund_id
    JOIN payments p ON p.id = r.payment_id
    JOIN checkouts c ON c.id = p.checkout_id
    ORDER BY m.kind, m.refund_id, m.id
    ON CONFLICT DO NOTHING
""")
# One statement takes and leases; a mail that somebody else is taking, or is just noting the end of, is left to them.
# A mail in hand stays due, behind its lease: no index has to know. A kind that only a later version knows is left to it.
_TAKE = text("""
    WITH due AS MATERIALIZED (
        SELECT id FROM mails
        WHERE next_attempt_at <= :at AND kind = ANY(CAST(:kinds AS text[])) AND (leased_until IS NULL OR leased_until <= :at)
        ORDER BY next_attempt_at, id LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE mails m SET attempts = attempts + 1, leased_until = :until FROM due WHERE m.id = due.id
    RETURNING m.id, kind, user_id, address, subject_id, link_id, attempts, queued_at
""")
_KNOWN = [kind.value for kind in MailKind]
_ADDRESSED = text("UPDATE mails SET user_id = :user_id, address = NULL WHERE id = :id AND state = 'queued'")
_LINKED = text("UPDATE mails SET link_id = :link_id WHERE id = :id AND state = 'queued'")
_RECORD = text("""
    UPDATE mails m SET state = o.state, next_attempt_at = o.next_attempt_at, leased_until = NULL,
        outcome = CASE WHEN o.state = 'queued' THEN m.outcome ELSE o.detail END,
        finished_at = CASE WHEN o.state = 'queued' THEN NULL ELSE CAST(:at AS timestamptz) END,
        address = CASE WHEN o.state = 'queued' THEN m.address END
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:details AS text[]), CAST(:next_attempts_at AS timestamptz[])
    ) AS o (id, state, detail, next_attempt_at)
    WHERE m.id = o.id AND m.state = 'queued'
""")


class PostgresMails:
    """Mails in the transaction of a connection. See the port."""

    def __init__(self, connection: Connection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    async def queue(self, *mails: MailRequest) -> None:
        """See the port."""
        if not mails:
            return
        # In one order everywhere: two who queue the same mails do not wait for each other in a ring.
        ordered = sorted(mails, key=lambda mail: (mail.kind.value, str(mail.subject_id), mail.id))
        await self._connection.execute(
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
        self._jobs.announce(Job.SEND_MAIL)

    async def queue_to_payers(self, *mails: RefundMail) -> None:
        """See the port."""
        if not mails:
            return
        await self._connection.execute(
            _QUEUE_TO_PAYERS,
            {
                "ids": [mail.id for mail in mails],
                "kinds": [mail.kind.value for mail in mails],
                "refund_ids": [mail.refund_id for mail in mails],
                "ats": [mail.queued_at for mail in mails],
            },
        )
        self._jobs.announce(Job.SEND_MAIL)

    async def take(self, at: datetime, until: datetime, limit: int) -> tuple[Mail, ...]:
        """See the port."""
        rows = await self._connection.execute(_TAKE, {"at": at, "until": until, "limit": limit, "kinds": _KNOWN})
        return tuple(_mail(row) for row in rows)

    async def addressed(self, mail_id: MailId, user_id: UserId) -> None:
        """See the port."""
        await self._connection.execute(_ADDRESSED, {"id": mail_id, "user_id": user_id})

    async def linked(self, mail_id: MailId, link_id: LinkId) -> None:
        """See the port."""
        await self._connection.execute(_LINKED, {"id": mail_id, "link_id": link_id})

    async def record(self, outcomes: Sequence[MailOutcome], at: datetime) -> None:
        """See the port."""
        # In one order everywhere: an account's deletion deletes its mails in about the order they were queued in.
        ordered = sorted(outcomes, key=lambda outcome: outcome.mail_id)
        await self._connection.execute(
            _RECORD,
            {
                "ids": [outcome.mail_id for outcome in ordered],
                "states": [outcome.state.value for outcome in ordered],
                "details": [outcome.detail for outcome in ordered],
                "next_attempts_at": [outcome.next_attempt_at for outcome in ordered],
                "at": at,
            },
        )


def _mail(row: Row) -> Mail:
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
