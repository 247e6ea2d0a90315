"""Follow a mailed link: whose it is, once."""

from dataclasses import dataclass

from kapda.domain.identity.mail_ports import LinkTokens, MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, link_invalid
from kapda.domain.identity.user import User
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class FollowLink:
    """What every use case behind a mailed link begins with. All refusals are the same InvalidArgumentError (LINK_INVALID).

    The user's row is locked before the link is used up: making a newer link takes the locks in the same order.
    """

    tokens: LinkTokens
    clock: Clock

    def read(self, text: str, purpose: LinkPurpose) -> LinkToken:
        """The token that came with the call. Costs no look at the database."""
        token = self.tokens.read(text, purpose)
        if token is None:
            raise link_invalid()
        return token

    async def whose(self, uow: MailingUnitOfWork, token: LinkToken, purpose: LinkPurpose) -> User:
        """Whose link it is, while it works; it goes on working."""
        return await self._owner(uow, token, purpose, lock=False)

    async def use(self, uow: MailingUnitOfWork, token: LinkToken, purpose: LinkPurpose) -> User:
        """Use the link up and answer whose it was, their row locked. A rollback leaves the link as it was."""
        user = await self._owner(uow, token, purpose, lock=True)
        if not await uow.mailed_links.use(token, purpose, self.clock.now()):
            raise link_invalid()
        return user

    async def _owner(self, uow: MailingUnitOfWork, token: LinkToken, purpose: LinkPurpose, *, lock: bool) -> User:
        link = await uow.mailed_links.find(token.link_id)
        if link is None or not link.works_with(token, purpose, self.clock.now()):
            raise link_invalid()
        user = await (uow.users.lock(link.user_id) if lock else uow.users.find(link.user_id))
        # An account that was shut, or whose address is another by now, is not opened by what was mailed before.
        if user is None or not user.is_active or user.email.key != link.email_key:
            raise link_invalid()
        return user
