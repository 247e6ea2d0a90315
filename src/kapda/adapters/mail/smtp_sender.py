"""Mails over SMTP, one connection a mail."""

import asyncio
import ssl
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final

import aiosmtplib

from kapda.adapters.mail.mime import Sender, to_message
from kapda.domain.notifications.letters import OutgoingMail
from kapda.domain.notifications.ports import MailRefusedError, MailUnavailableError

# For each step of the conversation, and for all of it: well within the lease of a mail.
STEP_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 40.0
_PERMANENT: Final = range(500, 600)


@unique
class Security(Enum):
    """STARTTLS: encrypted after a greeting in the clear, or not at all. TLS: from the start. NONE: for a relay on this
    machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where to hand mails in. An empty user name means no log-in. `trust` overrides which certificates are trusted."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    trust: ssl.SSLContext | None = None


class SmtpSender:
    """A MailSender.

    Only the answers to the recipient and to the message itself are about the letter, so only their 5xx is final. A
    server that refuses us, our log-in or our sender's address will refuse every letter until somebody mends that:
    those letters wait. After a message whose answer was lost nobody knows whether it was taken; it is sent again.
    """

    def __init__(
        self,
        server: SmtpServer,
        sender: Sender,
        *,
        step_seconds: float = STEP_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._server = server
        self._sender = sender
        self._step_seconds = step_seconds
        self._total_seconds = total_seconds

    async def send(self, mail: OutgoingMail) -> None:
        """See the port. The library's errors quote the server, which may quote an address: none leaves here."""
        try:
            async with asyncio.timeout(self._total_seconds):
                await self._converse(mail)
        except aiosmtplib.SMTPResponseException as error:
            raise MailUnavailableError(str(error.code)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            # A timeout is an OSError too.
            raise MailUnavailableError(type(error).__name__) from None

    async def _converse(self, mail: OutgoingMail) -> None:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=self._step_seconds,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            username=server.username or None,
            password=server.password or None,
            tls_context=server.trust,
            local_hostname=self._sender.domain,
        )
        try:
            await client.connect()
            await client.mail(self._sender.address)
            try:
                await client.rcpt(mail.to.text)
                await client.data(to_message(mail, self._sender))
            except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
                if error.code in _PERMANENT:
                    raise MailRefusedError(error.code) from None
                raise
        finally:
            # The letter is taken or not by now; a farewell would only be one more thing to wait for.
            client.close()
