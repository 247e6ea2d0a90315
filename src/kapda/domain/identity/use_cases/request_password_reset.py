"""Request a password reset."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.mails import MailKind, MailRequest


@dataclass(frozen=True, slots=True)
class RequestPasswordResetCommand:
    """The address that somebody typed."""

    email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Queues a mail to the account of the address, if there is one: who sends it looks.

    No account is looked up here, so neither the answer nor its time can tell whether there is one.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RequestPasswordResetCommand) -> None:
        """Queue it. Raises InvalidArgumentError (VALIDATION_FAILED)."""
        address = EmailAddress(command.email)
        mail = MailRequest.to_address(self.ids.new(), MailKind.RESET_PASSWORD, address.text, self.clock.now())
        async with self.unit_of_work() as uow:
            await uow.mails.queue(mail)
            await uow.commit()
