"""What letters say, as facts: the words and the look of them are the composer's."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.orders.order import Order
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.ids import MailId
from kapda.domain.shared.mails import MailKind
from kapda.domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class LinkLetter:
    """A link to follow. The address of it holds the credential, so it shows in no repr."""

    purpose: LinkPurpose
    url: str = field(repr=False)
    works_for: timedelta


@dataclass(frozen=True, slots=True)
class PasswordChangedLetter:
    """The password was changed at that instant; `help_url` is where to go if somebody else did it."""

    at: datetime
    help_url: str


@dataclass(frozen=True, slots=True)
class OrderLetter:
    """An order, and where it can be looked at."""

    order: Order
    url: str


@dataclass(frozen=True, slots=True)
class RefundLetter:
    """Money on its way back, for an order or for money that became none: `no_order` is why it did not."""

    amount: Money
    order_number: str | None
    url: str
    no_order: CaseKind | None = None


@dataclass(frozen=True, slots=True)
class GivenBackLetter:
    """A payment for that much that nobody here took: the gateway gives it back by itself."""

    amount: Money
    url: str


Letter: TypeAlias = LinkLetter | PasswordChangedLetter | OrderLetter | RefundLetter | GivenBackLetter


@dataclass(frozen=True, slots=True)
class Content:
    """A letter in words: the same twice, as text and as HTML. It may hold a link that is a credential."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A letter ready to be sent. Id and date are the same at every try."""

    id: MailId
    kind: MailKind
    to: EmailAddress = field(repr=False)
    to_name: DisplayName = field(repr=False)
    date: datetime
    content: Content


class MailComposer(Protocol):
    """Puts letters into words."""

    def compose(self, kind: MailKind, to_name: DisplayName, letter: Letter) -> Content:
        """The letter's subject, text and HTML. Whatever users wrote stands in it as text, never as markup."""
        ...


@dataclass(frozen=True, slots=True)
class WebPages:
    """Where the web front end has its pages.

    A token stands in the fragment: browsers send it to no server, so it is in no access log and no Referer.
    """

    base_url: str

    def link(self, purpose: LinkPurpose, token: str) -> str:
        """The page behind a mailed link."""
        return f"{self.base_url}/{_LINK_PAGES[purpose]}#token={token}"

    def order(self, order_id: object) -> str:
        """An order's page."""
        return f"{self.base_url}/orders/{order_id}"

    @property
    def orders(self) -> str:
        """All of a customer's orders."""
        return f"{self.base_url}/orders"

    @property
    def forgot_password(self) -> str:
        """Where a new password can be asked for."""
        return f"{self.base_url}/forgot-password"


_LINK_PAGES = {
    LinkPurpose.RESET_PASSWORD: "reset-password",  # pragma: allowlist secret  (a path)
    LinkPurpose.CONFIRM_EMAIL: "confirm-email",
    LinkPurpose.UNLOCK: "unlock",
}
