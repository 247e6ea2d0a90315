"""Links that are mailed to prove who reads an account's mail.

A link carries a token that is derived from the link's id by a key outside the database. The row keeps the token's digest,
not the token: neither the database nor the queue of mails can make a link, and a token that somebody did derive opens
nothing without its row. A link works once, for its own purpose, until it expires, and only while no newer one of its
purpose was made for the user.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, unique

from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import LinkId, UserId


@unique
class LinkPurpose(Enum):
    """What following a link may do."""

    RESET_PASSWORD = "reset_password"  # noqa: S105  # pragma: allowlist secret  (a name)
    CONFIRM_EMAIL = "confirm_email"
    UNLOCK = "unlock"

    @property
    def life(self) -> timedelta:
        """How long a link of the purpose works."""
        return _CONFIRMATION_LIFE if self is LinkPurpose.CONFIRM_EMAIL else _URGENT_LIFE


_URGENT_LIFE = timedelta(hours=1)
_CONFIRMATION_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What a link carries. The text is the credential: it never shows in a repr."""

    text: str = field(repr=False)
    link_id: LinkId
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A link as it is kept. `closed_at` is when it was used, or ended by a newer one or by what made it pointless.

    It was mailed to `email_key`, and proves nothing about another address.
    """

    id: LinkId
    user_id: UserId
    purpose: LinkPurpose
    email_key: str
    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None

    @classmethod
    def made(
        cls, token: LinkToken, purpose: LinkPurpose, user_id: UserId, email_key: str, at: datetime
    ) -> "MailedLink":
        """A link that works from now on."""
        return cls(token.link_id, user_id, purpose, email_key, token.digest, at, at + purpose.life)

    def works_with(self, token: LinkToken, purpose: LinkPurpose, at: datetime) -> bool:
        """Whether following the link with that token does anything at that instant."""
        mine = self.id == token.link_id and self.digest == token.digest and self.purpose is purpose
        return mine and self.closed_at is None and at < self.expires_at


def link_invalid() -> InvalidArgumentError:
    """The one refusal of every link that does not work: what is wrong with it is nobody's business."""
    return InvalidArgumentError.for_field(
        "token", "the link is not valid: it was used, has expired or was replaced by a newer one", Reason.LINK_INVALID
    )
