"""A folder in place of a mail system, for development: one .eml file a message."""

import asyncio
from pathlib import Path

from kapda.adapters.mail.mime import Sender, to_message
from kapda.domain.notifications.letters import OutgoingMail
from kapda.domain.notifications.ports import MailUnavailableError


class MailboxSender:
    """A MailSender that writes. A message that comes again takes its first copy's place: the name is its id."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: OutgoingMail) -> None:
        """See the port. A folder refuses no letter for good: what cannot be written now waits until it can."""
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            raise MailUnavailableError(type(error).__name__) from None

    def _write(self, mail: OutgoingMail) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._folder / f".{mail.id}"
        unfinished.write_bytes(to_message(mail, self._sender))
        # Whoever watches the folder sees whole messages only.
        unfinished.replace(self._folder / f"{mail.id}.eml")
