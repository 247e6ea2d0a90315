"""Request a confirmation of the caller's address."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.mails import MailKind, MailRequest


@dataclass(frozen=True, slots=True)
class RequestEmailConfirmationCommand:
    """Who."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class RequestEmailConfirmation:
    """Queues a mail with a link to the caller's own address; who sends it drops it where the address is confirmed."""

    unit_of_work: Callable[[], MailingUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RequestEmailConfirmationCommand) -> None:
        """Queue it."""
        user_id, now = command.principal.user_id, self.clock.now()
        async with self.unit_of_work() as uow:
            await uow.mails.queue(MailRequest.to_user(self.ids.new(), MailKind.CONFIRM_EMAIL, user_id, now))
            await uow.commit()
