"""Confirm an address by a mailed link."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose, link_invalid
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.shared.clock import Clock

_PURPOSE = LinkPurpose.CONFIRM_EMAIL


@dataclass(frozen=True, slots=True)
class ConfirmEmailCommand:
    """Who follows the link, and what it carries."""

    principal: Principal
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    """Notes that the account's user reads the mail of its address: the one that the link was mailed to, and no other.

    Both at once: signed in to the account, and with its mail. Anybody can sign up with somebody else's address, and whoever
    reads the mail there must not vouch for a password that a stranger knows. They take the account over by a new password,
    which ends what the stranger had.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    links: FollowLink
    clock: Clock

    async def execute(self, command: ConfirmEmailCommand) -> None:
        """Confirm it. Raises InvalidArgumentError (LINK_INVALID)."""
        token = self.links.read(command.token, _PURPOSE)
        async with self.unit_of_work() as uow:
            user = await self.links.use(uow, token, _PURPOSE)
            # Nothing is committed, so the link goes on working for its owner.
            if user.id != command.principal.user_id:
                raise link_invalid()
            user.confirm_email(self.clock.now())
            await uow.users.save(user)
            await uow.commit()
