"""A letter as a message of RFC 5322: text first, HTML beside it, nothing fetched from anywhere."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from kapda.domain.notifications.letters import OutgoingMail

# Seven bits and short lines: no server on the way needs to be able to do anything.
_POLICY: Final = SMTP.clone(cte_type="7bit")


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


def to_message(mail: OutgoingMail, sender: Sender) -> EmailMessage:
    """The message. The standard library's headers refuse line ends and encode whatever is not ASCII."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = Address(mail.to_name.text, addr_spec=mail.to.text)
    message["Subject"] = mail.content.subject
    message["Date"] = mail.date
    message["Message-ID"] = message_id(mail, sender)
    # No out-of-office replies to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.content.text, cte="quoted-printable")
    message.add_alternative(mail.content.html, subtype="html", cte="quoted-printable")
    return message
