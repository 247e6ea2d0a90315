"""Mails over SMTP, a few at a time."""

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
# Conversations at once: mail servers turn a client away that opens dozens.
CONNECTIONS: Final = 8
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

    A connection whose letter was taken is handed to a letter that waits for one, and closed where none does: of a
    hundred letters few pay for a connection, encryption and a log-in, and none is left open.
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
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._waiting = 0
        # Never more than there are letters waiting.
        self._free: list[aiosmtplib.SMTP] = []

    async def send(self, mail: OutgoingMail) -> None:
        """See the port. The library's errors quote the server, which may quote an address: none leaves here."""
        try:
            async with asyncio.timeout(self._total_seconds):
                await self._take_place()
                try:
                    await self._converse(mail)
                finally:
                    self._places.release()
        except aiosmtplib.SMTPResponseException as error:
            raise MailUnavailableError(str(error.code)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            # A timeout is an OSError too.
            raise MailUnavailableError(type(error).__name__) from None

    async def _take_place(self) -> None:
        self._waiting += 1
        try:
            await self._places.acquire()
        except BaseException:
            self._waiting -= 1
            while len(self._free) > self._waiting:
                self._free.pop().close()
            raise
        self._waiting -= 1

    async def _converse(self, mail: OutgoingMail) -> None:
        client = await self._announced()
        try:
            await client.rcpt(mail.to.text)
            await client.data(to_message(mail, self._sender))
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            client.close()
            if error.code in _PERMANENT:
                raise MailRefusedError(error.code) from None
            raise
        except BaseException:
            client.close()
            raise
        if self._waiting > len(self._free):
            self._free.append(client)
        else:
            # The letter is taken; a farewell would only be one more thing to wait for.
            client.close()

    async def _announced(self) -> aiosmtplib.SMTP:
        """A connection on which a letter of ours is announced: one that another letter has just left, or a new one."""
        if self._free:
            client = self._free.pop()
            try:
                await client.mail(self._sender.address)
            except (aiosmtplib.SMTPException, OSError):
                # It takes no more letters; some servers count them.
                client.close()
            except BaseException:
                client.close()
                raise
            else:
                return client
        client = self._client()
        try:
            await client.connect()
            await client.mail(self._sender.address)
        except BaseException:
            client.close()
            raise
        return client

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
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
