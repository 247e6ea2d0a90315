"""Several workers sending mails at once."""

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes
from uuid import uuid4

from dependency_injector import providers

from kapda.adapters.mail.mime import Sender, to_message
from kapda.domain.notifications.letters import OutgoingMail
from kapda.domain.notifications.mail import MailState
from tests.shop.gate import at_once
from tests.shop.post import counting_mails
from tests.shop.shop import Shop

MAILS = 400


async def test_workers_that_look_at_once_send_each_mail_once(shop: Shop) -> None:
    sender = counting_mails(shop)
    await shop.customers(4)
    await shop.sql(
        """INSERT INTO mails (id, kind, user_id, queued_at, next_attempt_at)
           SELECT uuidv7(), 'password_changed', u.id, now(), now() FROM users u, generate_series(1, :each)""",
        each=MAILS // 4,
    )

    outcomes = await at_once([shop.door().send_mails().execute for _ in range(9)])

    assert not outcomes.refusals
    assert sum(len(tries) for tries in outcomes.answers) == MAILS
    assert len(sender.sent) == sender.sent.total() == MAILS
    assert await shop.count("mails WHERE state = 'sent' AND attempts = 1") == MAILS


@dataclass
class StuckSender:
    """A MailSender whose first mail is on its way until somebody lets it arrive."""

    mails: list[OutgoingMail] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    arrives: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, mail: OutgoingMail) -> None:
        self.mails.append(mail)
        if not self.begun.is_set():
            self.begun.set()
            await self.arrives.wait()


async def test_a_worker_slower_than_its_lease_sends_a_second_copy_under_the_same_id(shop: Shop) -> None:
    sender, customer, mail_id = StuckSender(), await shop.customer(), uuid4()
    for container in shop.containers:
        container.mail_sender.override(providers.Object(sender))
    await shop.sql(
        """INSERT INTO mails (id, kind, user_id, queued_at, next_attempt_at)
           VALUES (:id, 'password_changed', :user_id, now(), now())""",
        id=mail_id,
        user_id=customer,
    )
    slow = asyncio.create_task(shop.containers[0].send_mails().execute())
    await sender.begun.wait()
    assert await shop.containers[1].send_mails().execute() == []
    # Its lease ends while it has the mail.
    await shop.sql("UPDATE mails SET leased_until = now() WHERE id = :id", id=mail_id)
    (quick,) = await shop.containers[1].send_mails().execute()
    (noted,) = await shop.sql("SELECT * FROM mails WHERE id = :id", id=mail_id)
    sender.arrives.set()
    await slow

    assert quick.state is MailState.SENT
    copies = [message_from_bytes(to_message(mail, Sender("Kapda", "no-reply@kapda.test"))) for mail in sender.mails]
    assert len(copies) == 2
    assert {copy["Message-ID"] for copy in copies} == {f"<{mail_id}@kapda.test>"}
    assert len({(copy["To"], copy["Date"], copy["Subject"]) for copy in copies}) == 1
    # The slow one has nothing to note any more.
    (row,) = await shop.sql("SELECT * FROM mails WHERE id = :id", id=mail_id)
    assert row == noted
    assert (row["state"], row["attempts"]) == ("sent", 2)
