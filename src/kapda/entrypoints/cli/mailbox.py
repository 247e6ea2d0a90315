"""Reads the folder that stands in for a mail system: shows mails as they arrive, and finds one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

# Soon enough for somebody who waits for a link, and next to no work.
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """What its recipient sees of a mail; `lines` are those of its text that say something."""

    to: str
    subject: str
    message_id: str
    lines: tuple[str, ...]

    @property
    def link(self) -> str:
        """The first link in the text; empty where there is none."""
        words = (word for line in self.lines for word in line.split())
        return next((word for word in words if word.startswith(("http://", "https://"))), "")


class Mailbox:
    """The folder; what lay in it at first is not new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = {path.name for path in folder.glob("*.eml")}

    def new(self) -> Iterator[ReceivedMail]:
        """Each mail that arrived since this was last asked."""
        for path in sorted(self._folder.glob("*.eml")):
            if path.name not in self._seen:
                self._seen.add(path.name)
                yield _read(path)

    def about(self, subject: str) -> list[ReceivedMail]:
        """All mails with that subject."""
        mails = [_read(path) for path in sorted(self._folder.glob("*.eml"))]
        return [mail for mail in mails if mail.subject == subject]


@contextmanager
def showing_mails(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Say a line for each mail that arrives inside the block: whom to, what about, and the link in it."""
    mailbox, over = Mailbox(folder), threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            for mail in mailbox.new():
                say(f"# mail to {mail.to}: {mail.subject} {mail.link}".rstrip())

    looking = threading.Thread(target=look, name="mailbox", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _read(path: Path) -> ReceivedMail:
    mail: EmailMessage = message_from_bytes(path.read_bytes(), policy=default)
    text = mail.get_body(("plain",))
    lines = text.get_content().splitlines() if text is not None else []
    return ReceivedMail(
        str(mail["To"]), str(mail["Subject"]), str(mail["Message-ID"]), tuple(line for line in lines if line.strip())
    )
