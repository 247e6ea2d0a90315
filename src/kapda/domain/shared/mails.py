"""Mails: letters to users, queued in the transaction of what they tell of and sent after its commit.

A queued mail names a kind, a recipient and a subject; it holds no text. What the letter says is read when it is sent, so
the queue knows nothing of anybody but ids, and of a stranger the address that was typed, until it is looked up.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique
from typing import Protocol, Self
from uuid import UUID

from kapda.domain.shared.ids import MailId, UserId


@unique
class MailKind(Enum):
    """What a letter is about."""

    RESET_PASSWORD = "reset_password"  # noqa: S105  # pragma: allowlist secret  (a name)
    CONFIRM_EMAIL = "confirm_email"
    UNLOCK = "unlock"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # pragma: allowlist secret  (a name)
    ORDER_PLACED = "order_placed"
    ORDER_CANCELLED = "order_cancelled"
    REFUND_REQUESTED = "refund_requested"
    REFUND_PROCESSED = "refund_processed"
    PAYMENT_GIVEN_BACK = "payment_given_back"

    @property
    def names_recipient(self) -> bool:
        """Whether the recipient is called by name: only about what was paid for.

        The rest can be had for a stranger's address by signing up with it, and the name typed there would be a message.
        """
        return self in _ABOUT_A_PURCHASE


# Not of one that was given back: for that nobody has paid.
_ABOUT_A_PURCHASE = frozenset(
    {MailKind.ORDER_PLACED, MailKind.ORDER_CANCELLED, MailKind.REFUND_REQUESTED, MailKind.REFUND_PROCESSED}
)


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A letter to be: to a user, or to whatever account an address turns out to have; about `subject_id`, if anything.

    The id stays the letter's own at every try: receivers know a second copy by it.
    """

    id: MailId
    kind: MailKind
    queued_at: datetime
    user_id: UserId | None = None
    address: str | None = field(default=None, repr=False)
    subject_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.user_id is None) == (self.address is None):
            raise ValueError("a mail goes to a user or to an address")

    @classmethod
    def to_user(
        cls, mail_id: UUID, kind: MailKind, user_id: UserId, at: datetime, subject_id: UUID | None = None
    ) -> Self:
        """To a user whose account is known: it goes to the address that the account has when it is sent."""
        return cls(MailId(mail_id), kind, at, user_id=user_id, subject_id=subject_id)

    @classmethod
    def to_address(cls, mail_id: UUID, kind: MailKind, address: str, at: datetime) -> Self:
        """To the account of an address that somebody typed, if there is one: who asks must not learn whether."""
        return cls(MailId(mail_id), kind, at, address=address)


class Mails(Protocol):
    """Queues mails, inside a unit of work: they leave after the commit, at least once; a rollback sends nothing."""

    async def queue(self, *mails: MailRequest) -> None:
        """Keep the mails and wake who sends them; many at the cost of one.

        One mail a kind and subject for good, and one a kind and address while the account is not looked up yet: what
        would be the second is none.
        """
        ...
