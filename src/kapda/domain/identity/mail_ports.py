"""What identity needs for the mails it has sent and for the links in them."""

from datetime import datetime
from typing import Protocol

from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.shared.ids import LinkId, UserId
from kapda.domain.shared.mails import Mails


class MailedLinks(Protocol):
    """Mailed links, inside a unit of work. Whoever makes, uses or ends one holds its user's lock."""

    async def add(self, link: MailedLink) -> None:
        """Keep a new link, and end the older ones of its user and purpose."""
        ...

    async def find(self, link_id: LinkId) -> MailedLink | None:
        """The link, whether it still works or not, or None."""
        ...

    async def use(self, token: LinkToken, purpose: LinkPurpose, at: datetime) -> bool:
        """Use the link up, if it works with the token: of many who come at the same moment one is told True."""
        ...

    async def end(self, user_id: UserId, purpose: LinkPurpose, at: datetime) -> None:
        """End the user's live link of the purpose, if there is one."""
        ...

    async def made_since(self, user_id: UserId, purpose: LinkPurpose, since: datetime) -> int:
        """How many links of the purpose were made for the user at or after that instant."""
        ...


class LinkTokens(Protocol):
    """Derives the tokens of mailed links from a key that the database does not know."""

    def token_for(self, link_id: LinkId, purpose: LinkPurpose) -> LinkToken:
        """The link's token: the same each time, while the key is the same."""
        ...

    def read(self, text: str, purpose: LinkPurpose) -> LinkToken | None:
        """The token as it came back, or None for a text that is no token of ours for that purpose."""
        ...


class MailingUnitOfWork(IdentityUnitOfWork, Protocol):
    """One transaction over accounts, sessions, and what is mailed about them."""

    @property
    def mailed_links(self) -> MailedLinks:
        """The links in mails."""
        ...

    @property
    def mails(self) -> Mails:
        """The mails to be sent after the commit."""
        ...
