"""A letter as a message of RFC 5322: text first, HTML beside it, nothing fetched from anywhere."""

import re
from binascii import b2a_qp
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime
from typing import Final

from kapda.domain.notifications.letters import OutgoingMail

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
# What means nothing but itself in any header and fits one line.
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ]{1,60}")


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails come from: a name, and an address whose domain also names the messages."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What stands behind the at sign."""
        return self.address.rpartition("@")[2]


def message_id(mail: OutgoingMail, sender: Sender) -> str:
    """The same at every try: receivers drop, or show together, what they have had already."""
    return f"<{mail.id}@{sender.domain}>"


def to_message(mail: OutgoingMail, sender: Sender) -> bytes:
    """The message as it travels: seven bits and short lines, so that no server on the way needs to be able to do anything.

    Its headers are written here, one by one. An EmailMessage reads what is put into a header, and unwraps an encoded word
    that somebody has chosen as a name: one that hides a line end became a header of its own. It also took longer than
    all else that sending a mail costs.
    """
    # No line of quoted-printable text has an equals sign and an underscore beside each other.
    boundary = f"=_{mail.id.hex}"
    headers = {
        "From": f"{_encoded(sender.name)} <{sender.address}>",
        "To": f"{_encoded(mail.to_name.text)} <{mail.to.text}>" if mail.kind.names_recipient else mail.to.text,
        "Subject": _encoded(mail.content.subject),
        "Date": format_datetime(mail.date),
        "Message-ID": message_id(mail, sender),
        # No out-of-office replies to a machine.
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative;\r\n boundary="{boundary}"',
    }
    return "".join(
        (
            *_lines(headers),
            "\r\n",
            *_part(boundary, "plain", mail.content.text),
            *_part(boundary, "html", mail.content.html),
            f"--{boundary}--\r\n",
        )
    ).encode("ascii")


def _part(boundary: str, subtype: str, text: str) -> Iterator[str]:
    headers = {"Content-Type": f'text/{subtype}; charset="utf-8"', "Content-Transfer-Encoding": "quoted-printable"}
    yield f"--{boundary}\r\n"
    yield from _lines(headers)
    yield "\r\n"
    # The last line end is the boundary's.
    yield b2a_qp(_LINE_END.sub("\r\n", f"{text}\n").encode()).decode("ascii")


def _lines(headers: Mapping[str, str]) -> Iterator[str]:
    return (f"{name}: {value}\r\n" for name, value in headers.items())


def _encoded(text: str) -> str:
    """A text as a header says it: one line, and nothing in it but text whatever it looks like."""
    line = " ".join(text.split())
    return line if _PLAIN.fullmatch(line) else Header(line, "utf-8").encode(linesep="\r\n")
