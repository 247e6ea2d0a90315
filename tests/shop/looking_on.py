"""The stack's own rows and gateway, seen by use cases in the test's process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from pydantic import SecretStr

from kapda.entrypoints.cli.stack import Stack
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from kapda.entrypoints.settings import Environment, Settings
from tests.shop.shop import Shop


@asynccontextmanager
async def looking_on(stack: Stack, gateway: httpx.AsyncClient) -> AsyncIterator[Shop]:
    """The shop's use cases in this process, on the stack's database and gateway."""
    told = stack.environment
    settings = Settings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(told["KAPDA_DATABASE_URL"]),
        redis_url=SecretStr(told["KAPDA_REDIS_URL"]),
        jwt_keys=[SecretStr(told["KAPDA_JWT_KEYS"])],
        page_token_key=SecretStr(told["KAPDA_PAGE_TOKEN_KEY"]),
        signing_key=SecretStr(told["KAPDA_SIGNING_KEY"]),
        link_key=SecretStr(told["KAPDA_LINK_KEY"]),
        razorpay_base_url=told["KAPDA_RAZORPAY_BASE_URL"],
        razorpay_key_id=told["KAPDA_RAZORPAY_KEY_ID"],
        razorpay_key_secret=[SecretStr(told["KAPDA_RAZORPAY_KEY_SECRET"])],
        razorpay_webhook_secrets=[SecretStr(told["KAPDA_RAZORPAY_WEBHOOK_SECRETS"])],
        razorpay_account_id=told["KAPDA_RAZORPAY_ACCOUNT_ID"],
    )
    container = Container(settings=settings)
    try:
        yield Shop((container,), gateway)
    finally:
        await close_container(container)
