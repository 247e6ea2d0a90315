"""Letters of every kind, with something in every field."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.notifications.letters import (
    GivenBackLetter,
    Letter,
    LinkLetter,
    OrderLetter,
    PasswordChangedLetter,
    RefundLetter,
)
from kapda.domain.notifications.mail import LINK_PURPOSES
from kapda.domain.orders.order import Order, place
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.ids import OrderId, PaymentId
from kapda.domain.shared.mails import MailKind
from kapda.domain.shared.money import INR, Money
from tests.fakes import samples
from tests.fakes.samples import NOON

CHANGED_AT = datetime(2026, 3, 14, 20, 31, tzinfo=UTC)
REFUND = Money(12_34_567_89, INR)


def an_order(number: str = "K100001", text: str = "Handblock") -> Order:
    """An order of two lines and shipping; `text` stands in whatever a house writes about what it sells."""
    lines = (
        samples.checkout_line(1, price=Money(1_499_00, INR), quantity=2),
        samples.checkout_line(2, price=Money(12_999_50, INR)),
    )
    named = [
        replace(line, sku=f"{text}-{line.position}", title=f"{text} kurta {line.position}", options=_options(text))
        for line in lines
    ]
    checkout = samples.checkout_in(CheckoutState.OPEN, *named, shipping=Money(49_00, INR))
    return place(
        checkout,
        order_id=OrderId(UUID(int=0x0D)),
        number=number,
        payment_id=PaymentId(UUID(int=3)),
        actor="x",
        at=NOON,
    )


def _options(text: str) -> Mapping[str, str]:
    return {"colour": f"{text} indigo", "size": "M"}


def letters_of(kind: MailKind, number: str = "K100001", text: str = "Handblock", url: str = "") -> list[Letter]:
    """Every shape that a letter of the kind may have."""
    url = url or "https://kapda.test/page"
    if kind in LINK_PURPOSES:
        return [LinkLetter(LINK_PURPOSES[kind], url, LINK_PURPOSES[kind].life)]
    if kind is MailKind.PASSWORD_CHANGED:
        return [PasswordChangedLetter(CHANGED_AT, url)]
    if kind in (MailKind.ORDER_PLACED, MailKind.ORDER_CANCELLED):
        return [OrderLetter(an_order(number, text), url)]
    if kind is MailKind.PAYMENT_GIVEN_BACK:
        return [GivenBackLetter(REFUND, url)]
    strays = [RefundLetter(REFUND, None, url, case) for case in CaseKind]
    return [RefundLetter(REFUND, number, url), RefundLetter(REFUND, None, url), *strays]


def facts_of(kind: MailKind, letter: Letter) -> set[str]:  # noqa: PLR0911  (one a kind of letter)
    """What the letter has to say, word by word."""
    match letter:
        case LinkLetter(purpose=purpose, url=url):
            return {url, "24 hours" if purpose is LinkPurpose.CONFIRM_EMAIL else "one hour"}
        case PasswordChangedLetter(help_url=url):
            return {url, "15 March 2026, 02:01 IST"}
        case RefundLetter(url=url, no_order=CaseKind()) if kind is MailKind.REFUND_REQUESTED:
            return {url, "received your payment of ₹12,34,567.89", "could not become an order"}
        case GivenBackLetter(url=url):
            return {url, "₹12,34,567.89", "did not take the money"}
        case RefundLetter(order_number=number, url=url):
            return {url, "₹12,34,567.89", *({number} if number else ())}
        case OrderLetter(order=order, url=url) if kind is MailKind.ORDER_CANCELLED:
            return {url, order.number}
        case OrderLetter(order=order, url=url):
            amounts = {"₹2,998.00", "₹12,999.50", "₹49.00", "₹16,046.50"}
            lines = {f"{line.title} ({', '.join(line.options.values())})" for line in order.lines}
            return {url, order.number, *amounts, *lines}
