"""A letter as a message of RFC 5322: text first, HTML beside it, nothing fetched from anywhere."""

import re
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from kapda.domain.notifications.letters import OutgoingMail

# Seven bits and short lines: no server on the way needs to be able to do anything.
_POLICY: Final = SMTP.clone(cte_type="7bit")
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
    """The message as it travels.

    Its headers are written here, one by one. An EmailMessage reads what is put into a header, and unwraps an encoded word
    that somebody has chosen as a name: one that hides a line end became a header of its own.
    """
    headers = {
        "From": f"{_encoded(sender.name)} <{sender.address}>",
        "To": f"{_encoded(mail.to_name.text)} <{mail.to.text}>" if mail.kind.names_recipient else mail.to.text,
        "Subject": _encoded(mail.content.subject),
        "Date": format_datetime(mail.date),
        "Message-ID": message_id(mail, sender),
        # No out-of-office replies to a machine.
        "Auto-Submitted": "auto-generated",
    }
    body = EmailMessage(policy=_POLICY)
    body.set_content(mail.content.text, cte="quoted-printable")
    body.add_alternative(mail.content.html, subtype="html", cte="quoted-printable")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return lines.encode("ascii") + body.as_bytes()


def _encoded(text: str) -> str:
    """A text as a header says it: one line, and nothing in it but text whatever it looks like."""
    line = " ".join(text.split())
    return line if _PLAIN.fullmatch(line) else Header(line, "utf-8").encode(linesep="\r\n")
