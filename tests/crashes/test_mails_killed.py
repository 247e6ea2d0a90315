"""Workers that are killed, with SIGKILL, while they send mails."""

import asyncio
import os
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest

from kapda.adapters.embedded.processes import free_port
from tests.mail_server import MailServer, serving_mail
from tests.shop.shop import Shop
from tests.waiting import until


async def _worker(shop: Shop, mail_port: int) -> asyncio.subprocess.Process:
    settings = shop.container.settings()
    given = {
        "KAPDA_ENVIRONMENT": "development",
        "KAPDA_DATABASE_URL": settings.database_url.get_secret_value(),
        "KAPDA_REDIS_URL": settings.redis_url.get_secret_value(),
        "KAPDA_JWT_KEYS": settings.jwt_keys[0].get_secret_value(),
        "KAPDA_PAGE_TOKEN_KEY": settings.page_token_key.get_secret_value(),
        "KAPDA_SIGNING_KEY": settings.signing_key.get_secret_value(),
        "KAPDA_LINK_KEY": settings.link_key.get_secret_value(),
        "KAPDA_RAZORPAY_BASE_URL": settings.razorpay_base_url,
        "KAPDA_RAZORPAY_KEY_ID": settings.razorpay_key_id,
        "KAPDA_RAZORPAY_KEY_SECRET": settings.razorpay_key_secret[0].get_secret_value(),
        "KAPDA_RAZORPAY_WEBHOOK_SECRETS": settings.razorpay_webhook_secrets[0].get_secret_value(),
        "KAPDA_RAZORPAY_ACCOUNT_ID": settings.razorpay_account_id,
        "KAPDA_WORKER_ADDRESS": f"127.0.0.1:{free_port()}",
        "KAPDA_SMTP_HOST": "127.0.0.1",
        "KAPDA_SMTP_PORT": str(mail_port),
        "KAPDA_SMTP_SECURITY": "none",
    }
    outer = {name: value for name, value in os.environ.items() if not name.startswith("KAPDA_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kapda.entrypoints.cli.main",
        "worker",
        env={**outer, **given},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


MAILS = 40
# A worker starts within some seconds, where the machine has nothing else to do.
PATIENCE = 90.0


@dataclass(frozen=True)
class Killing:
    """The mail server falls silent after so many mails; the worker is killed when it has handed in so many and noted so
    many as sent."""

    silent_after: int | None
    handed_in: int
    noted: int
    twice: int
    """How many mails must go out twice: those of which it cannot have noted anything."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "killing",
    [
        # The server has the last ones whole and never says so: fewer than conversations at once.
        pytest.param(
            Killing(silent_after=34, handed_in=MAILS, noted=34, twice=MAILS - 34), id="while the server says nothing"
        ),
        pytest.param(Killing(silent_after=None, handed_in=10, noted=0, twice=0), id="amid them"),
    ],
)
async def test_a_killed_worker_loses_no_mail_and_what_goes_out_twice_does_so_under_one_id(
    shop: Shop, killing: Killing
) -> None:
    ids = await _queued(shop)
    async with serving_mail(MailServer(silent_after=killing.silent_after)) as server:
        worker = await _worker(shop, server.port)
        await until(lambda: len(server.messages) >= killing.handed_in, within=PATIENCE)
        await until(partial(_sent, shop, ids, killing.noted), within=PATIENCE)
        worker.kill()
        await worker.wait()
        noted = {
            row["id"]
            for row in await shop.sql("SELECT id FROM mails WHERE state = 'sent' AND id = ANY (:ids)", ids=ids)
        }
        # The leases of the dead worker are over.
        await shop.sql("UPDATE mails SET leased_until = now() WHERE state = 'queued'")
        server.silent_after = None
        worker = await _worker(shop, server.port)
        try:
            await until(partial(_sent, shop, ids, MAILS), within=PATIENCE)
        finally:
            worker.terminate()
            await worker.wait()
        came = Counter(str(message["Message-ID"]) for message in server.parsed())
        assert came.keys() == {f"<{mail_id}@kapda.example>" for mail_id in ids}
        assert [mail_id for mail_id in noted if came[f"<{mail_id}@kapda.example>"] != 1] == []
        assert sum(count > 1 for count in came.values()) >= killing.twice
        same = {
            (message["Message-ID"], message["Date"], message["To"], message["Subject"]) for message in server.parsed()
        }
        assert len(same) == MAILS


async def _sent(shop: Shop, ids: list[UUID], count: int) -> bool:
    return await shop.count("mails WHERE state = 'sent' AND id = ANY (:ids)", ids=ids) >= count


async def _queued(shop: Shop) -> list[UUID]:
    rows = await shop.sql(
        """INSERT INTO mails (id, kind, user_id, queued_at, next_attempt_at)
           SELECT uuidv7(), 'password_changed', user_id, now(), now() FROM unnest(CAST(:users AS uuid[])) AS user_id
           RETURNING id""",
        users=await shop.customers(MAILS),
    )
    return [row["id"] for row in rows]
