"""What notifications need from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kapda.domain.checkout.ports import Checkouts
from kapda.domain.identity.mail_ports import MailedLinks
from kapda.domain.identity.ports import Users
from kapda.domain.notifications.letters import OutgoingMail
from kapda.domain.notifications.mail import Mail, MailOutcome, RefundMail
from kapda.domain.orders.ports import Orders
from kapda.domain.payments.ports import Cases, Refunds
from kapda.domain.shared.ids import LinkId, MailId, UserId
from kapda.domain.shared.mails import Mails
from kapda.domain.shared.unit_of_work import UnitOfWork


class MailQueue(Mails, Protocol):
    """Queued mails, inside a unit of work."""

    async def queue_to_payers(self, *mails: RefundMail) -> None:
        """The same for mails about refunds, each to the customer of its payment's checkout; many at the cost of one.

        About a refund that there is not, there is no mail.
        """
        ...

    async def take(self, at: datetime, until: datetime, limit: int) -> tuple[Mail, ...]:
        """Take mails that are due at `at` for sending, one attempt more; nobody else takes them before `until`.

        Of more than `limit` those that have waited longest; none that is in another worker's hands, or is being taken.
        """
        ...

    async def addressed(self, mail_id: MailId, user_id: UserId) -> None:
        """Note whose account the address turned out to have; the queue forgets the address."""
        ...

    async def linked(self, mail_id: MailId, link_id: LinkId) -> None:
        """Note the link that the mail carries."""
        ...

    async def record(self, outcomes: Sequence[MailOutcome], at: datetime) -> None:
        """End or postpone queued mails, many at the cost of one. One that has ended stays as it is."""
        ...


class MailRefusedError(Exception):
    """The mail server refuses this very letter for good. `reply_code` is SMTP's, between 500 and 599."""

    def __init__(self, reply_code: int) -> None:
        super().__init__(f"refused with {reply_code}")
        self.reply_code = reply_code


class MailUnavailableError(Exception):
    """No mail server took the letter now, or none said so: it has to be sent again. `detail` says what happened, in a
    word or a reply code, never with an address."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"not taken now: {detail}")
        self.detail = detail


class MailSender(Protocol):
    """Hands letters to the mail system."""

    async def send(self, mail: OutgoingMail) -> None:
        """Returns once the mail system has taken responsibility for the letter.

        Takes less than LEASE. The same letter may come again, and then has the same Message-ID and date. Raises
        MailRefusedError for a letter that no later try will get accepted, MailUnavailableError for everything else.
        """
        ...


class NotificationUnitOfWork(UnitOfWork, Protocol):
    """What writing letters needs: the queue, whom to write to, and what about."""

    @property
    def mails(self) -> MailQueue: ...

    @property
    def mailed_links(self) -> MailedLinks: ...

    @property
    def users(self) -> Users: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def cases(self) -> Cases: ...

    @property
    def checkouts(self) -> Checkouts: ...
