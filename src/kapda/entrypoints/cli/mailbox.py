"""Shows mails as they arrive in the folder that stands in for a mail system."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

# Soon enough for somebody who waits for a link, and next to no work.
_LOOK_SECONDS: Final = 0.5


class Mailbox:
    """The folder; what lay in it at first is not new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = {path.name for path in folder.glob("*.eml")}

    def new(self) -> Iterator[str]:
        """A line for each mail that arrived since this was last asked: whom to, what about, and the link in it."""
        for path in sorted(self._folder.glob("*.eml")):
            if path.name not in self._seen:
                self._seen.add(path.name)
                yield _line(message_from_bytes(path.read_bytes(), policy=default))


@contextmanager
def showing_mails(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Say a line for each mail that arrives inside the block."""
    mailbox, over = Mailbox(folder), threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            for line in mailbox.new():
                say(line)

    looking = threading.Thread(target=look, name="mailbox", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _line(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    words = text.get_content().split() if text is not None else []
    link = next((word for word in words if word.startswith(("http://", "https://"))), "")
    return f"# mail to {mail['To']}: {mail['Subject']} {link}".rstrip()
