"""Mails that arrive in the folder are shown once, with the link that somebody may be waiting for."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from kapda.adapters.mail.mailbox_sender import MailboxSender
from kapda.adapters.mail.mime import Sender
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.notifications.letters import Content, OutgoingMail
from kapda.domain.shared.ids import MailId
from kapda.domain.shared.mails import MailKind
from kapda.entrypoints.cli.mailbox import Mailbox, showing_mails

LINK = f"https://kapda.test/reset-password#token={'t' * 64}"


def mail(number: int) -> OutgoingMail:
    content = Content("Choose a new password", f"Dear आशा,\n\nGo to\n{LINK}\n", f"<a href='{LINK}'>Go</a>")
    return OutgoingMail(
        MailId(UUID(int=number)),
        MailKind.RESET_PASSWORD,
        EmailAddress("asha@example.in"),
        DisplayName("आशा राव"),
        datetime(2026, 3, 14, tzinfo=UTC),
        content,
    )


async def test_a_mail_is_shown_once_with_its_link_and_none_that_lay_there_before(tmp_path: Path) -> None:
    sender = MailboxSender(tmp_path / "mailbox", Sender("Kapda", "no-reply@kapda.test"))
    await sender.send(mail(1))
    mailbox = Mailbox(tmp_path / "mailbox")
    assert list(mailbox.new()) == []
    for _ in range(2):
        await sender.send(mail(2))
    (shown,) = mailbox.new()
    assert (shown.to, shown.subject, shown.link) == ("asha@example.in", "Choose a new password", LINK)
    assert (shown.message_id, shown.lines[0]) == (f"<{mail(2).id}@kapda.test>", "Dear आशा,")
    assert list(mailbox.new()) == []
    assert mailbox.about("Choose a new password")[1:] == [shown]
    assert mailbox.about("Choose") == []
    assert len(list((tmp_path / "mailbox").iterdir())) == 2


async def test_mails_are_said_as_they_arrive(tmp_path: Path) -> None:
    said, lines = threading.Event(), []

    def say(line: str) -> None:
        lines.append(line)
        said.set()

    with showing_mails(tmp_path, say):
        await MailboxSender(tmp_path, Sender("Kapda", "no-reply@kapda.test")).send(mail(1))
        assert said.wait(10)
    assert lines == [f"# mail to asha@example.in: Choose a new password {LINK}"]
