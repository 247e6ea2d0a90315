"""Letters in words, from the templates beside this file."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kapda.domain.identity.user import DisplayName
from kapda.domain.notifications.letters import Content, Letter
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.mails import MailKind
from kapda.domain.shared.money import Money

_FOLDER: Final = Path(__file__).parent / "templates"
# The whole of India is in one zone, without summer time.
_IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
_SUBJECTS: Final = {
    MailKind.RESET_PASSWORD: "Choose a new password",
    MailKind.CONFIRM_EMAIL: "Confirm your e-mail address",
    MailKind.UNLOCK: "Unlock your account",
    MailKind.PASSWORD_CHANGED: "Your password was changed",
    MailKind.ORDER_PLACED: "Your order {number}",
    MailKind.ORDER_CANCELLED: "Your order {number} is cancelled",
    MailKind.REFUND_REQUESTED: "Your refund is on its way",
    MailKind.REFUND_PROCESSED: "Your refund has been paid",
    MailKind.PAYMENT_GIVEN_BACK: "We did not take your payment",
}
_NO_ORDER: Final = "Your payment is on its way back"
# Why money became no order, where that is more than the shop's own affair.
_WHY: Final[Mapping[CaseKind, str]] = {
    CaseKind.SECOND_PAYMENT: "because your order had been paid already",
    CaseKind.CHECKOUT_SUPERSEDED: "because you had changed your cart and begun to pay for it anew",
    CaseKind.CHECKOUT_ABANDONED: "because you had called the purchase off",
    CaseKind.CHECKOUT_FAILED: "because the purchase had ended before",
    CaseKind.STOCK_GONE: "because it came when the time to pay was over and the pieces were sold",
}


class JinjaComposer:
    """A MailComposer. HTML is escaped by itself; a name that a template does not know is an error, not a gap.

    Plain old HTML: tables, colours in place, no image and no script, nothing that is fetched when the mail is read.
    """

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            # The templates are part of the program.
            auto_reload=False,
        )
        self._environment.filters["money"] = _money
        self._environment.filters["hours"] = _hours
        self._environment.filters["instant"] = _instant
        self._environment.filters["why"] = _why

    def compose(self, kind: MailKind, to_name: DisplayName, letter: Letter) -> Content:
        """See the port."""
        number = getattr(getattr(letter, "order", None), "number", "")
        subject = _SUBJECTS[kind].format(number=number)
        if kind is MailKind.REFUND_REQUESTED and getattr(letter, "no_order", None) is not None:
            subject = _NO_ORDER
        facts = {"name": to_name.text, "letter": letter, "subject": subject}
        text = self._environment.get_template(f"{kind.value}.txt").render(facts)
        html = self._environment.get_template(f"{kind.value}.html").render(facts)
        return Content(subject, text, html)


def _money(amount: Money) -> str:
    rupees, paise = divmod(amount.amount_minor, 100)
    head, tail = str(rupees)[:-3], str(rupees)[-3:]
    # Thousands once, then hundreds: 12,34,567.
    while head:
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    return f"₹{tail}.{paise:02}"


def _why(kind: CaseKind) -> str:
    return _WHY.get(kind, "")


def _hours(life: timedelta) -> str:
    hours = int(life.total_seconds() // 3_600)
    return "one hour" if hours == 1 else f"{hours} hours"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(_IST):%d %B %Y, %H:%M} IST"
