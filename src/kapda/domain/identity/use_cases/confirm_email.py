"""Confirm an address by a mailed link."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.shared.clock import Clock

_PURPOSE = LinkPurpose.CONFIRM_EMAIL


@dataclass(frozen=True, slots=True)
class ConfirmEmailCommand:
    """What the link carries."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    """Notes that the account's user reads the mail of its address: the one that the link was mailed to, and no other."""

    unit_of_work: Callable[[], MailingUnitOfWork]
    links: FollowLink
    clock: Clock

    async def execute(self, command: ConfirmEmailCommand) -> None:
        """Confirm it. Raises InvalidArgumentError (LINK_INVALID)."""
        token = self.links.read(command.token, _PURPOSE)
        async with self.unit_of_work() as uow:
            user = await self.links.use(uow, token, _PURPOSE)
            user.confirm_email(self.clock.now())
            await uow.users.save(user)
            await uow.commit()
