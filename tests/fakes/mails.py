"""Mails and mailed links in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.notifications.mail import Mail, MailOutcome, MailState, RefundMail
from kapda.domain.shared.ids import LinkId, MailId, RefundId, UserId
from kapda.domain.shared.jobs import Job, Jobs
from kapda.domain.shared.mails import MailRequest


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail, and where it stands. `next_attempt_at` is None once it has ended."""

    mail: Mail
    next_attempt_at: datetime | None
    state: MailState = MailState.QUEUED
    detail: str = ""


@dataclass
class InMemoryMails:
    """MailQueue over a table."""

    rows: dict[MailId, MailRow]
    jobs: Jobs
    payer_of: Callable[[RefundId], UserId | None] = lambda _: None

    async def queue(self, *mails: MailRequest) -> None:
        for mail in mails:
            await self._queue(mail)

    async def _queue(self, mail: MailRequest) -> None:
        for row in self.rows.values():
            same_kind = row.mail.kind is mail.kind
            same_subject = mail.subject_id is not None and row.mail.subject_id == mail.subject_id
            address = row.mail.address
            same_address = address is not None and address.lower() == (mail.address or "").lower()
            if same_kind and (same_subject or same_address):
                return
        new = Mail(mail.id, mail.kind, mail.user_id, mail.address, mail.subject_id, None, 0, mail.queued_at)
        self.rows[mail.id] = MailRow(new, mail.queued_at)
        self.jobs.announce(Job.SEND_MAIL)

    async def queue_to_payers(self, *mails: RefundMail) -> None:
        for mail in mails:
            payer = self.payer_of(mail.refund_id)
            if payer is not None:
                await self._queue(MailRequest.to_user(mail.id, mail.kind, payer, mail.queued_at, mail.refund_id))

    async def take(self, at: datetime, until: datetime, limit: int) -> tuple[Mail, ...]:
        waiting = [(row.next_attempt_at, mail_id) for mail_id, row in self.rows.items() if row.next_attempt_at]
        return tuple(self._taken(mail_id, until) for due_at, mail_id in sorted(waiting)[:limit] if due_at <= at)

    def _taken(self, mail_id: MailId, until: datetime) -> Mail:
        row = self.rows[mail_id]
        taken = replace(row.mail, attempts=row.mail.attempts + 1)
        self.rows[mail_id] = replace(row, mail=taken, next_attempt_at=until)
        return taken

    async def addressed(self, mail_id: MailId, user_id: UserId) -> None:
        row = self.rows[mail_id]
        self.rows[mail_id] = replace(row, mail=replace(row.mail, user_id=user_id, address=None))

    async def linked(self, mail_id: MailId, link_id: LinkId) -> None:
        row = self.rows[mail_id]
        self.rows[mail_id] = replace(row, mail=replace(row.mail, link_id=link_id))

    async def record(self, outcomes: Sequence[MailOutcome], at: datetime) -> None:
        for outcome in outcomes:
            row = self.rows.get(outcome.mail_id)
            if row is None or row.state is not MailState.QUEUED:
                continue
            if outcome.state is MailState.QUEUED:
                self.rows[outcome.mail_id] = replace(row, next_attempt_at=outcome.next_attempt_at)
            else:
                ended = replace(row.mail, address=None)
                self.rows[outcome.mail_id] = MailRow(ended, None, outcome.state, outcome.detail)


class NobodyWakes:
    """Jobs that nobody runs, for suites that only look at what was queued."""

    async def wake(self, job: Job, subject: UUID) -> None:
        return None

    def announce(self, job: Job) -> None:
        return None

    async def wake_all(self, job: Job, subjects: Sequence[UUID]) -> None:
        return None


@dataclass
class InMemoryMailedLinks:
    """MailedLinks over a table."""

    rows: dict[LinkId, MailedLink]

    async def add(self, link: MailedLink) -> None:
        await self.end(link.user_id, link.purpose, link.created_at)
        self.rows[link.id] = link

    async def find(self, link_id: LinkId) -> MailedLink | None:
        return self.rows.get(link_id)

    async def use(self, token: LinkToken, purpose: LinkPurpose, at: datetime) -> bool:
        link = self.rows.get(token.link_id)
        if link is None or not link.works_with(token, purpose, at):
            return False
        self.rows[link.id] = replace(link, closed_at=at)
        return True

    async def end(self, user_id: UserId, purpose: LinkPurpose, at: datetime) -> None:
        for link in list(self.rows.values()):
            if (link.user_id, link.purpose, link.closed_at) == (user_id, purpose, None):
                self.rows[link.id] = replace(link, closed_at=at)

    async def made_since(self, user_id: UserId, purpose: LinkPurpose, since: datetime) -> int:
        return sum(
            (link.user_id, link.purpose) == (user_id, purpose) and link.created_at >= since
            for link in self.rows.values()
        )
