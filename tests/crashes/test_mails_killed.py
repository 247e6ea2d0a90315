"""A worker killed between the mail server's word and its own note loses no mail, and sends one twice only under one id."""

import asyncio
import os
import sys
from uuid import uuid4

import pytest

from kapda.adapters.embedded.processes import free_port
from tests.mail_server import MailServer, serving_mail
from tests.shop.shop import Shop
from tests.waiting import until

pytestmark = pytest.mark.torture


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


async def test_a_mail_whose_worker_was_killed_after_the_server_took_it_is_sent_again_under_the_same_id(
    shop: Shop,
) -> None:
    customer = await shop.customer()
    mail_id = uuid4()
    await shop.sql(
        """INSERT INTO mails (id, kind, user_id, queued_at, next_attempt_at)
           VALUES (:id, 'password_changed', :user_id, now(), now())""",
        id=mail_id,
        user_id=customer,
    )
    # The server has the whole message and never says so: the worker cannot have noted anything when it is killed.
    async with serving_mail(MailServer(answers=False)) as server:
        worker = await _worker(shop, server.port)
        await asyncio.wait_for(server.arrived.wait(), 60)
        worker.kill()
        await worker.wait()
        assert await _state(shop) == "queued"
        # The lease of the dead worker is over.
        await shop.sql("UPDATE mails SET next_attempt_at = now() WHERE state = 'queued'")
        server.answers = True
        worker = await _worker(shop, server.port)

        async def sent() -> bool:
            return await _state(shop) == "sent"

        try:
            await until(sent, within=60)
        finally:
            worker.terminate()
            await worker.wait()
        assert [message["Message-ID"] for message in server.parsed()] == [f"<{mail_id}@kapda.example>"] * 2


async def _state(shop: Shop) -> object:
    (row,) = await shop.sql("SELECT state FROM mails")
    return row["state"]
