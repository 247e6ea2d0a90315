"""Send a queued mail."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.notifications.letters import MailComposer, OutgoingMail
from kapda.domain.notifications.mail import LEASE, DropReason, Mail, MailOutcome, MailState, retry_delay
from kapda.domain.notifications.ports import (
    MailRefusedError,
    MailSender,
    MailUnavailableError,
    NotificationUnitOfWork,
)
from kapda.domain.notifications.use_cases.write_letter import WriteLetter
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import MailId


@dataclass(frozen=True, slots=True)
class SendMailCommand:
    """Which mail."""

    mail_id: MailId


@dataclass(frozen=True, slots=True)
class SendMail:
    """Sends one mail, at least once. Several workers may try: one has it at a time.

    Each step is committed before the next: take the mail, write its letter, send it, note what came of it. A worker that
    dies in between leaves a mail that is due again when its lease is over, and goes out under the same Message-ID.
    """

    unit_of_work: Callable[[], NotificationUnitOfWork]
    write_letter: WriteLetter
    composer: MailComposer
    sender: MailSender
    clock: Clock

    async def execute(self, command: SendMailCommand) -> MailOutcome | None:
        """What came of it; None when there was nothing to do."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            mail = await uow.mails.take(command.mail_id, now, now + LEASE)
            await uow.commit()
        if mail is None:
            return None
        # Another transaction: it locks the user before the mail, as the deletion of an account does.
        async with self.unit_of_work() as uow:
            written = await self.write_letter.execute(uow, mail)
            if isinstance(written, DropReason):
                await uow.mails.finish(mail.id, MailState.DROPPED, written.value, now)
            await uow.commit()
        if isinstance(written, DropReason):
            return MailOutcome(mail.kind, MailState.DROPPED, written.value)
        user, letter = written
        content = self.composer.compose(mail.kind, user.display_name, letter)
        outgoing = OutgoingMail(mail.id, mail.kind, user.email, user.display_name, mail.queued_at, content)
        return await self._send(mail, outgoing)

    async def _send(self, mail: Mail, outgoing: OutgoingMail) -> MailOutcome:
        try:
            await self.sender.send(outgoing)
        except MailRefusedError as error:
            return await self._finish(mail, MailState.REFUSED, str(error.reply_code))
        except MailUnavailableError as error:
            async with self.unit_of_work() as uow:
                await uow.mails.postpone(mail.id, self.clock.now() + retry_delay(mail.attempts))
                await uow.commit()
            return MailOutcome(mail.kind, MailState.QUEUED, error.detail)
        return await self._finish(mail, MailState.SENT, "")

    async def _finish(self, mail: Mail, state: MailState, detail: str) -> MailOutcome:
        async with self.unit_of_work() as uow:
            await uow.mails.finish(mail.id, state, detail, self.clock.now())
            await uow.commit()
        return MailOutcome(mail.kind, state, detail)
