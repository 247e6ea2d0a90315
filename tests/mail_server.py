"""A small SMTP server for tests: it keeps what it takes, answers as it is told, and can wait before it answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass
class MailServer:
    """`replies` are given to that command instead of the usual answer.

    A message is taken without a word where it does not answer, and after `silent_after` messages.
    """

    tls: ssl.SSLContext | None = None
    replies: dict[str, str] = field(default_factory=dict)
    messages: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    answers: bool = True
    silent_after: int | None = None
    # Letters that one conversation may bring; the next is turned away.
    letters_each: int | None = None
    conversations: int = 0
    port: int = 0

    def parsed(self) -> list[EmailMessage]:
        """What was taken, as messages."""
        return [message_from_bytes(raw, policy=default) for raw in self.messages]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        self.conversations += 1
        letters = 0
        try:
            await self._say(writer, "220 mail.test ready", "CONNECT")
            while line := (await reader.readline()).decode().strip():
                verb = line.split(maxsplit=1)[0].upper()
                if verb == "QUIT":
                    break
                letters += verb == "MAIL"
                if self.letters_each is not None and letters > self.letters_each:
                    await self._say(writer, "421 enough for now", "")
                    break
                await self._answer(verb, line, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, as some do on purpose
        finally:
            writer.transport.abort()

    async def _answer(self, verb: str, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if verb == "EHLO":
            more = "250-STARTTLS\r\n" if self.tls and not writer.get_extra_info("ssl_object") else ""
            await self._say(writer, f"250-mail.test\r\n{more}250 8BITMIME", verb)
        elif verb == "STARTTLS" and self.tls:
            await self._say(writer, "220 go on", verb)
            await writer.start_tls(self.tls)
        elif verb == "DATA" and verb not in self.replies:
            await self._say(writer, "354 go on", "")
            await self._take(reader, writer)
        else:
            if verb == "RCPT":
                self.recipients.append(line.partition("<")[2].rstrip(">"))
            await self._say(writer, "250 fine", verb)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await reader.readuntil(b"\r\n.\r\n")
        self.messages.append(body[:-3].replace(b"\r\n..", b"\r\n."))
        self.encrypted.append(writer.get_extra_info("ssl_object") is not None)
        self.arrived.set()
        if not self.answers or (self.silent_after is not None and len(self.messages) > self.silent_after):
            await asyncio.Event().wait()
        await self._say(writer, "250 taken", "MESSAGE")

    async def _say(self, writer: asyncio.StreamWriter, text: str, verb: str) -> None:
        writer.write(self.replies.get(verb, text).encode() + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def serving_mail(server: MailServer) -> AsyncIterator[MailServer]:
    """The server, listening on `server.port` of this machine."""
    talks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(server.talk(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    listening = await asyncio.start_server(begin, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
