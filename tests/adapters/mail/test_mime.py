"""Whatever stands in a name, an address or a subject, a message has the headers that we wrote, and no others.

Clients read headers in two ways, so each is read back in both: by Python's older parser, which unwraps no encoded word by
itself, and by its newer one, which does.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32, default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.adapters.mail.jinja_composer import JinjaComposer
from kapda.adapters.mail.mime import Sender, to_message
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.notifications.letters import Content, OrderLetter, OutgoingMail
from kapda.domain.shared.errors import InvalidArgumentError
from kapda.domain.shared.ids import MailId
from kapda.domain.shared.mails import MailKind
from tests.adapters.mail.letters import an_order

FROM = Sender("The Kapda Co.", "no-reply@kapda.test")
WRITTEN = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
VICTIM = "victim@example.org"

# Texts that make a header of their own where line ends or encoded words are taken for what they stand for.
HOSTILE = {
    "a line end": f"Asha\r\nBcc: {VICTIM}",
    "a bare line feed": f"Asha\nBcc: {VICTIM}",
    "a bare carriage return": f"Asha\rBcc: {VICTIM}",
    "a folded line": f"Asha\r\n Bcc: {VICTIM}",
    "the end of the headers": "Asha\r\n\r\n<h1>Another letter</h1>",
    "a line end of Unicode": f"Asha\u2028Bcc: {VICTIM}",
    "the next line of Latin 1": f"Asha\x85Bcc: {VICTIM}",
    "a NUL": f"Asha\x00Bcc: {VICTIM}",
    "an encoded line end": f"=?utf-8?q?Asha=0D=0ABcc:_{VICTIM}?=",
    "an encoded line feed": f"=?utf-8?q?Asha=0ABcc:_{VICTIM}?=",
    "an encoded line end in base64": "=?utf-8?b?QXNoYQ0KQmNjOiB2aWN0aW1AZXhhbXBsZS5vcmc=?=",
    "an encoded line end in another script": f"आशा =?utf-8?q?x=0D=0ABcc:_{VICTIM}?=",
    "two encoded words": f"=?utf-8?q?Asha=0D?= =?utf-8?q?=0ABcc:_{VICTIM}?=",
    "an encoded word in quotes": f'"=?utf-8?q?Asha=0D=0ABcc:_{VICTIM}?="',
    "an encoded NUL": "=?us-ascii?q?Asha=00?=",
    "an encoded word of nothing": "=?utf-8?q??=",
    "an unknown charset": "=?none?q?Asha=0D=0AX:_y?=",
    "another mailbox": f"Asha <{VICTIM}>, Binod",
    "quotes and a header": f'Asha" <{VICTIM}>; Bcc: "x',
    "a group": f"Friends: {VICTIM};",
    "a comment": f"Asha (\r\nBcc: {VICTIM})",
    "backslashes": "Asha\\\\\\",
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def a_mail(name: str = "Asha", address: str = "asha@example.in", subject: str = "Your order K100001") -> OutgoingMail:
    return OutgoingMail(
        MailId(UUID(int=0x5E)),
        MailKind.ORDER_PLACED,
        EmailAddress(address),
        DisplayName(name),
        datetime(2026, 3, 14, 6, 30, tzinfo=UTC),
        Content(subject, "the text", "<p>the HTML</p>"),
    )


def as_one_line(text: str) -> str:
    return " ".join(text.split())


def read_back(raw: bytes) -> tuple[str, str, str]:
    """Name, address and subject as the older parser finds them, after looking at the message as a whole."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.isascii()
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert b"\n" not in head.replace(b"\r\n", b"")
    for line in head.split(b"\r\n"):
        assert line.startswith(tuple(f"{name}: ".encode() for name in WRITTEN)) or line[:1] == b" ", line
    assert body.count(b"the text") == body.count(b"the HTML") == 1
    for policy in (compat32, default):
        message: Message = message_from_bytes(raw, policy=policy)
        assert message.keys() == WRITTEN
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
    plain = message_from_bytes(raw, policy=compat32)
    phrase, _, address = plain["To"].rpartition(" ")
    return _decoded(phrase), address, _decoded(plain["Subject"])


def _decoded(header: str) -> str:
    return str(make_header(decode_header(header)))


@hostile
def test_a_name_stays_a_name(text: str) -> None:
    mail = a_mail()
    # Whatever may be in the rows, from a time of other rules too.
    object.__setattr__(mail.to_name, "text", text)
    raw = to_message(mail, FROM)
    assert read_back(raw) == (as_one_line(text), "<asha@example.in>", "Your order K100001")
    newer = message_from_bytes(raw, policy=default)
    assert [one.addr_spec for one in newer["To"].addresses] == ["asha@example.in"]


@given(st.text(max_size=100) | st.text(alphabet='=?utf-8bqQ0DA_:@<>",;()\\ é\u200d', max_size=100))
def test_every_name_that_somebody_may_have_arrives_as_it_is(text: str) -> None:
    try:
        name = DisplayName(text)
    except InvalidArgumentError:
        return
    read = read_back(to_message(a_mail(name.text), FROM))
    assert read == (as_one_line(name.text), "<asha@example.in>", "Your order K100001")


@hostile
def test_a_subject_stays_one_line(text: str) -> None:
    raw = to_message(a_mail(subject=text), FROM)
    assert read_back(raw) == ("Asha", "<asha@example.in>", as_one_line(text))


@hostile
def test_what_an_order_is_called_steers_no_header(text: str) -> None:
    letter = OrderLetter(an_order(number=text, text=text), "https://kapda.test/orders/1")
    content = JinjaComposer().compose(MailKind.ORDER_PLACED, DisplayName("Asha"), letter)
    raw = to_message(a_mail(subject=content.subject), FROM)
    assert read_back(raw)[2] == as_one_line(f"Your order {text}")


@hostile
def test_an_address_is_refused_or_written_as_it_is(text: str) -> None:
    for address in (text, f"{text}@example.in", f"asha@{text}", f"asha@example.in{text}"):
        try:
            mail = a_mail(address=address)
        except InvalidArgumentError:
            continue
        assert read_back(to_message(mail, FROM))[1] == f"<{address}>"


@pytest.mark.parametrize(
    "address",
    ["=?utf-8?q?victim=40example.org?=@example.in", "a=?b?=@example.in", "!#$%&'*+/=?^_`{|}~-@example.in"],
)
def test_an_address_that_looks_like_something_else_is_one_recipient(address: str) -> None:
    assert read_back(to_message(a_mail(address=address), FROM))[1] == f"<{address}>"


@hostile
def test_the_name_that_mails_come_from_stays_a_name(text: str) -> None:
    raw = to_message(a_mail(), Sender(text, FROM.address))
    assert message_from_bytes(raw, policy=default)["From"].addresses[0].addr_spec == FROM.address
    phrase, _, address = message_from_bytes(raw, policy=compat32)["From"].rpartition(" ")
    assert (_decoded(phrase), address) == (as_one_line(text), f"<{FROM.address}>")
    read_back(raw)


def test_a_message_is_dated_and_named_by_its_mail_alone() -> None:
    first, second = (message_from_bytes(to_message(a_mail(), FROM), policy=default) for _ in range(2))
    assert first["Date"].datetime == a_mail().date
    assert first["Message-ID"] == second["Message-ID"] == f"<{a_mail().id}@kapda.test>"
    assert second["Date"].datetime - first["Date"].datetime == timedelta(0)


@pytest.mark.parametrize("kind", MailKind)
def test_nobody_is_called_by_a_name_that_a_stranger_may_have_typed(kind: MailKind) -> None:
    mail = a_mail(name="Win a prize at evil.example")
    object.__setattr__(mail, "kind", kind)
    (to,) = message_from_bytes(to_message(mail, FROM), policy=default)["To"].addresses
    about_a_purchase = kind.value.startswith(("order_", "refund_"))
    assert (to.addr_spec, bool(to.display_name)) == ("asha@example.in", about_a_purchase)


TEXTS = {
    "scripts": "Dear आशा, ₹1,499.00 \U0001f457",
    "one long line": "ü" * 500,
    "no line": "",
    "blanks at line ends": "a \nb\t\n \n",
    "dots and dashes": ".\n..\n-- \nFrom here\n",
    "what looks like the boundary": f"--=_{UUID(int=0x5E).hex}--\n=_{UUID(int=0x5E).hex}",
    "what looks encoded": "=3D=0D=0A=\n=",
    "other line ends": "a\rb\r\nc\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_arrives_as_it_is_in_short_lines_of_seven_bits(text: str) -> None:
    mail = replace(a_mail(), content=Content("Subject", text, f"<p>{text}</p>"))
    raw = to_message(mail, FROM)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(raw) < 128
    message = message_from_bytes(raw, policy=default)
    assert [(part.get_content_type(), part.defects) for part in message.walk()] == [
        ("multipart/alternative", []),
        ("text/plain", []),
        ("text/html", []),
    ]
    sent = re.sub("\r\n?", "\n", text)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == sent
    assert html.get_content().replace("\r\n", "\n") == f"<p>{sent}</p>"
