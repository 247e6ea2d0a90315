"""A mail system in memory."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from kapda.adapters.mail.mime import Sender
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.notifications.letters import Content, OutgoingMail
from kapda.domain.shared.ids import MailId
from kapda.domain.shared.mails import MailKind
from tests.fakes.database import InMemoryDatabase

FROM = Sender("The Kapda Co.", "no-reply@kapda.test")
MAIL = OutgoingMail(
    MailId(UUID(int=0x5E)),
    MailKind.ORDER_PLACED,
    EmailAddress("asha@example.in"),
    DisplayName("आशा राव"),
    datetime(2026, 3, 14, 6, 30, tzinfo=UTC),
    Content("Your order K100001", "Dear आशा\n.\nbye\n", "<p>Dear आशा</p>"),
)


@dataclass
class Outbox:
    """A MailSender that keeps, or fails as it is told; no transaction may be open meanwhile."""

    database: InMemoryDatabase
    mails: list[OutgoingMail] = field(default_factory=list)
    error: BaseException | None = None
    # For single mails, in place of `error`; what is waited for before them.
    errors: dict[int, Exception] = field(default_factory=dict)
    delays: dict[int, asyncio.Event] = field(default_factory=dict)

    async def send(self, mail: OutgoingMail) -> None:
        self.database.check_nothing_open()
        if mail.id.int in self.delays:
            await self.delays[mail.id.int].wait()
        error = self.errors.get(mail.id.int, self.error)
        if error is not None:
            raise error
        self.mails.append(mail)
