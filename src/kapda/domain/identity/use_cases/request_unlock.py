"""Request a link that opens an account to log-ins."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.mails import MailKind, MailRequest


@dataclass(frozen=True, slots=True)
class RequestUnlockCommand:
    """The address that somebody typed."""

    email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestUnlock:
    """Queues a mail to the account of the address, if there is one: who sends it looks.

    Neither the account nor its attempts are looked up here, so neither the answer nor its time can tell anything of them.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RequestUnlockCommand) -> None:
        """Queue it. Raises InvalidArgumentError (VALIDATION_FAILED)."""
        address = EmailAddress(command.email)
        mail = MailRequest.to_address(self.ids.new(), MailKind.UNLOCK, address.text, self.clock.now())
        async with self.unit_of_work() as uow:
            await uow.mails.queue(mail)
            await uow.commit()
