"""Open an account to log-ins by a mailed link."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.session import NOWHERE, Contact
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.shared.clock import Clock

_PURPOSE = LinkPurpose.UNLOCK


@dataclass(frozen=True, slots=True)
class UnlockCommand:
    """What the link carries, and from where it is followed."""

    token: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class Unlock:
    """Uses the link up and counts the network that it is followed from as one from which its user got in.

    Not the network from which the link was asked for: whoever guesses could ask, and would have the owner open the gate
    for them. The attempts of other networks count as before, so the guesser stays shut out.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    links: FollowLink
    guard: LogInGuard
    clock: Clock

    async def execute(self, command: UnlockCommand) -> None:
        """Open it. Raises InvalidArgumentError (LINK_INVALID)."""
        token = self.links.read(command.token, _PURPOSE)
        async with self.unit_of_work() as uow:
            user = await self.links.use(uow, token, _PURPOSE)
            proof = self.guard.attempt(user.email.text, command.contact.network)
            await self.guard.let_in(uow, proof, user.id)
            await uow.commit()
        await self.guard.succeeded(proof)
