"""A queued mail and how it ends.

| from   | what happens                                            | to      |
|--------|---------------------------------------------------------|---------|
| -      | queued beside what it tells of                          | queued  |
| queued | the mail server took it                                 | sent    |
| queued | the mail server refused this very letter for good (5xx) | refused |
| queued | there is nobody to tell, or nothing to tell any more    | dropped |
| queued | anything else: no answer, try again later (4xx)         | queued  |

A mail never runs out of attempts: they only get rarer. One that was accepted while its worker died is sent again under
the same Message-ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Self
from uuid import UUID

from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.shared.ids import LinkId, MailId, RefundId, UserId
from kapda.domain.shared.mails import MailKind

# How long one worker may be at one mail: longer than a mail server may take. A mail whose worker was killed waits so long.
LEASE = timedelta(minutes=1)
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(hours=1)

# Links of one purpose that a user is mailed within the time: strangers who ask for them fill nobody's mailbox.
MAX_LINKS = 5
LINKS_WITHIN = timedelta(hours=1)

LINK_PURPOSES: Mapping[MailKind, LinkPurpose] = {
    MailKind.RESET_PASSWORD: LinkPurpose.RESET_PASSWORD,
    MailKind.CONFIRM_EMAIL: LinkPurpose.CONFIRM_EMAIL,
    MailKind.UNLOCK: LinkPurpose.UNLOCK,
}


@unique
class MailState(Enum):
    """See the module's table."""

    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"
    DROPPED = "dropped"


@unique
class DropReason(Enum):
    """Why a mail was not sent."""

    NO_ACCOUNT = "no_account"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    # Its link was used, or a newer one took its place.
    LINK_OVER = "link_over"
    TOO_MANY_LINKS = "too_many_links"
    # The address is confirmed already.
    ALREADY_CONFIRMED = "already_confirmed"
    # What it tells of is not there.
    NO_SUBJECT = "no_subject"


@dataclass(frozen=True, slots=True)
class RefundMail:
    """A letter to be about a refund, to the customer whose payment goes back."""

    id: MailId
    kind: MailKind
    refund_id: RefundId
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken for sending. `attempts` counts this one too."""

    id: MailId
    kind: MailKind
    user_id: UserId | None
    address: str | None = field(repr=False)
    subject_id: UUID | None
    link_id: LinkId | None
    attempts: int
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """What one try at a mail came to; `detail` is a reason or a reply code, never an address.

    One that stays queued is tried again at `next_attempt_at`; `error` is what nobody had reckoned with.
    """

    mail_id: MailId
    kind: MailKind
    state: MailState
    detail: str = ""
    next_attempt_at: datetime | None = None
    error: Exception | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, mail: Mail, state: MailState, detail: str = "") -> Self:
        """How the mail ended."""
        return cls(mail.id, mail.kind, state, detail)

    @classmethod
    def postponed(cls, mail: Mail, detail: str, now: datetime) -> Self:
        """The mail is to be tried again, the later the more often it was tried."""
        return cls(mail.id, mail.kind, MailState.QUEUED, detail, now + retry_delay(mail.attempts))

    @classmethod
    def failed(cls, mail: Mail, error: Exception, now: datetime) -> Self:
        """The same, by a defect: somebody should look at the error."""
        return replace(cls.postponed(mail, type(error).__qualname__, now), error=error)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling from half a minute to an hour."""
    return min(_FIRST_RETRY * (1 << min(attempts - 1, 16)), _LONGEST_RETRY)
