"""Send the queued mails that are due."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kapda.domain.identity.user import User
from kapda.domain.notifications.letters import Letter, MailComposer, OutgoingMail
from kapda.domain.notifications.mail import LEASE, Mail, MailOutcome, MailState
from kapda.domain.notifications.ports import (
    MailRefusedError,
    MailSender,
    MailUnavailableError,
    NotificationUnitOfWork,
)
from kapda.domain.notifications.use_cases.write_letters import WriteLetters
from kapda.domain.shared.clock import Clock

# Mails in hand at once: so many at most go out twice when the worker dies before it noted what came of them.
AT_ONCE: Final = 100
# Seconds that what came of some mails waits to be noted while others are still on their way.
NOTED_WITHIN: Final = 1.0
# No more are taken after so long: whoever runs this hears now and then how it goes.
TURN: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class SendMails:
    """Sends mails, each at least once, until none is due that another worker does not have, or the turn is over.

    Each step is committed before the next, for many mails at once: take them, write their letters, send them, note what
    came of it. A worker that dies in between leaves mails that are due again when their lease is over, and go out under
    the same Message-IDs. A mail that nobody takes, or that cannot even be written, is tried again later and holds up no
    other: while it is under way, more are taken and sent.
    """

    unit_of_work: Callable[[], NotificationUnitOfWork]
    write_letters: WriteLetters
    composer: MailComposer
    sender: MailSender
    clock: Clock

    async def execute(self) -> Sequence[MailOutcome]:
        """What came of each try. Raises UnavailableError when the database cannot take part."""
        outcomes: list[MailOutcome] = []
        under_way: set[asyncio.Task[MailOutcome]] = set()
        ends_at = self.clock.now() + TURN
        try:
            while True:
                mails = await self._take(AT_ONCE - len(under_way)) if self.clock.now() < ends_at else ()
                known = []
                for mail, written in zip(mails, await self.write_letters.execute(mails), strict=True):
                    if isinstance(written, MailOutcome):
                        known.append(written)
                    else:
                        under_way.add(asyncio.create_task(self._send(mail, *written), name=f"mail {mail.id}"))
                if under_way:
                    done, under_way = await asyncio.wait(under_way, timeout=NOTED_WITHIN)
                    known += [task.result() for task in done]
                elif not mails:
                    return outcomes
                await self._record(known)
                outcomes += known
        finally:
            for task in under_way:
                task.cancel()

    async def _take(self, limit: int) -> Sequence[Mail]:
        if not limit:
            return ()
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            mails = await uow.mails.take(now, now + LEASE, limit)
            await uow.commit()
        return mails

    async def _send(self, mail: Mail, user: User, letter: Letter) -> MailOutcome:
        try:
            content = self.composer.compose(mail.kind, user.display_name, letter)
            await self.sender.send(
                OutgoingMail(mail.id, mail.kind, user.email, user.display_name, mail.queued_at, content)
            )
        except MailRefusedError as error:
            return MailOutcome.of(mail, MailState.REFUSED, str(error.reply_code))
        except MailUnavailableError as error:
            return MailOutcome.postponed(mail, error.detail, self.clock.now())
        except Exception as error:  # noqa: BLE001 - the others are sent whatever is wrong with one
            return MailOutcome.failed(mail, error, self.clock.now())
        return MailOutcome.of(mail, MailState.SENT)

    async def _record(self, outcomes: Sequence[MailOutcome]) -> None:
        if outcomes:
            async with self.unit_of_work() as uow:
                await uow.mails.record(outcomes, self.clock.now())
                await uow.commit()
