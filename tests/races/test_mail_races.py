"""Several workers sending mails at once."""

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
