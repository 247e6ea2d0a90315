"""The folder in which the running shop leaves its mails, read as their recipients read them."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.shop.wire import Wire, eventually


async def mail_to(wire: Wire, address: str, about: str) -> EmailMessage:
    """The one mail to the address with that subject, as soon as it has arrived."""
    folder = Path(wire.stack.environment["KAPDA_MAIL_FOLDER"])

    async def arrived() -> list[EmailMessage]:
        return [
            mail
            for mail in await asyncio.to_thread(_mails_in, folder)
            if mail["To"].addresses[0].addr_spec == address and mail["Subject"] == about
        ]

    (mail,) = await eventually(arrived, within=30.0)
    return mail


def _mails_in(folder: Path) -> list[EmailMessage]:
    return [message_from_bytes(file.read_bytes(), policy=default) for file in folder.glob("*.eml")]


def token_in(mail: EmailMessage) -> str:
    """What the link in a mail carries."""
    text = mail.get_body(("plain",))
    assert text is not None
    token = text.get_content().partition("#token=")[2].split()[0]
    html = mail.get_body(("html",))
    assert html is not None
    assert f"#token={token}" in html.get_content()
    return str(token)
