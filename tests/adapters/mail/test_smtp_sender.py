"""SMTP's answers, sorted into taken, refused for good, and not now; and nothing of an address in what is raised."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from kapda.adapters.mail.smtp_sender import CONNECTIONS, Security, SmtpSender, SmtpServer
from kapda.domain.notifications.ports import MailRefusedError, MailUnavailableError
from kapda.domain.shared.ids import MailId
from tests.certificates import certified
from tests.fakes.outbox import FROM, MAIL
from tests.mail_server import MailServer, serving_mail


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with serving_mail(MailServer()) as running:
        yield running


def sender_for(
    server: MailServer, security: Security = Security.NONE, trust: ssl.SSLContext | None = None
) -> SmtpSender:
    return SmtpSender(
        SmtpServer("127.0.0.1", server.port, security, trust=trust), FROM, step_seconds=0.5, total_seconds=2.0
    )


async def test_a_mail_arrives_whole_under_a_message_id_that_is_the_same_each_time(server: MailServer) -> None:
    for _ in range(2):
        await sender_for(server).send(MAIL)
    first, second = server.parsed()
    assert first["Message-ID"] == second["Message-ID"] == f"<{MAIL.id}@kapda.test>"
    assert server.messages[0].count(b"\n") == server.messages[1].count(b"\n")
    assert (first["Subject"], str(first["To"])) == ("Your order K100001", "आशा राव <asha@example.in>")
    text, html = first.get_body(("plain",)), first.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == "Dear आशा\n.\nbye\n"
    assert "Dear आशा" in html.get_content()
    assert server.recipients == ["asha@example.in"] * 2
    assert all(byte < 128 for byte in server.messages[0])


@pytest.mark.parametrize("step", ["RCPT", "DATA", "MESSAGE"])
async def test_a_letter_that_is_refused_with_5xx_is_refused_for_good(server: MailServer, step: str) -> None:
    server.replies[step] = "550 <asha@example.in> is not known here"
    with pytest.raises(MailRefusedError) as refused:
        await sender_for(server).send(MAIL)
    assert refused.value.reply_code == 550
    assert "asha" not in repr(refused.value)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("CONNECT", "421 too busy"),
        ("CONNECT", "554 no mail from you"),
        ("MAIL", "550 no mail from this sender"),
        ("MAIL", "451 later"),
        ("RCPT", "450 <asha@example.in> is greylisted"),
        ("DATA", "451 later"),
        ("MESSAGE", "452 no room for asha@example.in"),
        ("MESSAGE", "what?"),
    ],
)
async def test_whatever_else_is_refused_is_tried_again(server: MailServer, step: str, reply: str) -> None:
    server.replies[step] = reply
    with pytest.raises(MailUnavailableError) as refused:
        await sender_for(server).send(MAIL)
    assert "asha" not in f"{refused.value!r} {refused.value.detail}"


async def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_allowed(server: MailServer) -> None:
    server.answers = False
    async with asyncio.timeout(5):
        with pytest.raises(MailUnavailableError):
            await sender_for(server).send(MAIL)
    assert len(server.messages) == 1


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with serving_mail(MailServer()) as gone:
        pass
    with pytest.raises(MailUnavailableError):
        await sender_for(gone).send(MAIL)


async def test_with_starttls_a_mail_goes_encrypted_or_not_at_all(tmp_path: Path) -> None:
    serving, trusting = certified(tmp_path)
    async with serving_mail(MailServer(tls=serving)) as server:
        await sender_for(server, Security.STARTTLS, trusting).send(MAIL)
        assert server.encrypted == [True]
        with pytest.raises(MailUnavailableError):
            await sender_for(server, Security.STARTTLS).send(MAIL)  # nobody vouches for its certificate
    async with serving_mail(MailServer()) as plain:
        with pytest.raises(MailUnavailableError):
            await sender_for(plain, Security.STARTTLS, trusting).send(MAIL)
        assert plain.recipients == []


async def _send_all(sender: SmtpSender, count: int) -> list[BaseException | None]:
    mails = [replace(MAIL, id=MailId(UUID(int=number))) for number in range(count)]
    return await asyncio.gather(*(sender.send(mail) for mail in mails), return_exceptions=True)


async def test_letters_that_come_together_share_few_connections_and_leave_none_open(server: MailServer) -> None:
    sender = sender_for(server)
    assert set(await _send_all(sender, 10 * CONNECTIONS)) == {None}
    assert len({message["Message-ID"] for message in server.parsed()}) == 10 * CONNECTIONS
    assert server.conversations == CONNECTIONS
    # Nothing that may have been closed meanwhile is used again.
    await sender.send(MAIL)
    assert server.conversations == CONNECTIONS + 1


async def test_a_server_that_takes_few_letters_a_connection_gets_more_connections(server: MailServer) -> None:
    server.letters_each = 2
    assert set(await _send_all(sender_for(server), 6 * CONNECTIONS)) == {None}
    assert len(server.messages) == 6 * CONNECTIONS
    assert server.conversations >= 3 * CONNECTIONS


async def test_letters_that_wait_in_vain_are_told_so_in_time_and_the_next_ones_find_a_place(server: MailServer) -> None:
    server.answers = False
    sender = sender_for(server)
    waited = await _send_all(sender, 8 * CONNECTIONS)
    assert {type(error) for error in waited} == {MailUnavailableError}
    server.answers = True
    assert set(await _send_all(sender, 2 * CONNECTIONS)) == {None}
