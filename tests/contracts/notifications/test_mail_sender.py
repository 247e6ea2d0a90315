"""What hands letters to a mail system, as its port promises: in memory, into a folder, and over SMTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest

from kapda.adapters.mail.mailbox_sender import MailboxSender
from kapda.adapters.mail.mime import to_message
from kapda.adapters.mail.smtp_sender import Security, SmtpSender, SmtpServer
from kapda.domain.notifications.ports import MailRefusedError, MailSender, MailUnavailableError
from kapda.domain.shared.ids import MailId
from tests.fakes.database import InMemoryDatabase
from tests.fakes.outbox import FROM, MAIL, Outbox
from tests.mail_server import MailServer, serving_mail


@dataclass(frozen=True)
class MailSystem:
    """A sender, what the mail system has taken from it, and how that comes to take nothing now, or to refuse MAIL for good
    where it can."""

    sender: MailSender
    taken: Callable[[], list[EmailMessage]]
    breaks: Callable[[], object]
    refuses: Callable[[], object] | None


@pytest.fixture(params=["in_memory", "in_a_folder", "by_smtp"])
def system(request: pytest.FixtureRequest) -> MailSystem:
    chosen: MailSystem = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=["in_memory", "by_smtp"])
def choosy(request: pytest.FixtureRequest) -> MailSystem:
    """Of those the ones that refuse letters: a folder takes whatever it is given."""
    chosen: MailSystem = request.getfixturevalue(request.param)
    return chosen


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


@pytest.fixture
def in_memory() -> MailSystem:
    outbox = Outbox(InMemoryDatabase())
    return MailSystem(
        outbox,
        lambda: [_parsed(to_message(mail, FROM)) for mail in outbox.mails],
        lambda: setattr(outbox, "error", MailUnavailableError("421")),
        lambda: outbox.errors.update({MAIL.id.int: MailRefusedError(550)}),
    )


@pytest.fixture
def in_a_folder(tmp_path: Path) -> MailSystem:
    folder = tmp_path / "mails"

    def breaks() -> None:
        (tmp_path / "before").unlink(missing_ok=True)
        if folder.exists():
            folder.rename(tmp_path / "before")
        folder.write_text("no folder any more")

    return MailSystem(
        MailboxSender(folder, FROM),
        lambda: [_parsed(file.read_bytes()) for file in sorted(folder.glob("*.eml"))],
        breaks,
        None,
    )


@pytest.fixture
async def by_smtp() -> AsyncIterator[MailSystem]:
    async with serving_mail(MailServer()) as server:
        yield MailSystem(
            SmtpSender(SmtpServer("127.0.0.1", server.port, Security.NONE), FROM, step_seconds=5, total_seconds=10),
            server.parsed,
            lambda: server.replies.update(CONNECT="421 too busy"),
            lambda: server.replies.update(RCPT="550 <asha@example.in> is not known here"),
        )


async def test_a_letter_is_in_the_mail_systems_hands_when_sending_returns_and_says_what_it_said(
    system: MailSystem,
) -> None:
    await system.sender.send(MAIL)
    (message,) = system.taken()
    assert message["To"].addresses[0].addr_spec == MAIL.to.text
    assert (message["Subject"], message["Date"].datetime) == (MAIL.content.subject, MAIL.date)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == MAIL.content.text
    assert html.get_content().strip() == MAIL.content.html


async def test_the_same_letter_again_is_one_that_receivers_know_again(system: MailSystem) -> None:
    for _ in range(2):
        await system.sender.send(MAIL)
    assert {(message["Message-ID"], message["Date"]) for message in system.taken()} == {
        (f"<{MAIL.id}@kapda.test>", _parsed(to_message(MAIL, FROM))["Date"])
    }


async def test_letters_that_come_at_once_all_arrive_each_under_its_own_id(system: MailSystem) -> None:
    letters = [replace(MAIL, id=MailId(UUID(int=number))) for number in range(20)]
    await asyncio.gather(*(system.sender.send(letter) for letter in letters))
    assert {message["Message-ID"] for message in system.taken()} == {f"<{letter.id}@kapda.test>" for letter in letters}


async def test_a_letter_that_is_not_taken_now_is_to_be_sent_again_and_nothing_of_its_address_is_told(
    system: MailSystem,
) -> None:
    system.breaks()
    with pytest.raises(MailUnavailableError) as refusal:
        await system.sender.send(MAIL)
    assert refusal.value.detail
    assert "asha" not in f"{refusal.value!r} {refusal.value.detail}"
    assert refusal.value.__cause__ is None


async def test_a_letter_that_is_refused_for_good_is_told_from_one_that_may_come_again(choosy: MailSystem) -> None:
    assert choosy.refuses is not None
    choosy.refuses()
    with pytest.raises(MailRefusedError) as refusal:
        await choosy.sender.send(MAIL)
    assert refusal.value.reply_code == 550
    assert "asha" not in repr(refusal.value)
    assert choosy.taken() == []
