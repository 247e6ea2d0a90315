"""Razorpay's address refuses every connection, under the whole stack: what needs it waits and says so, all else goes on."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import httpx
import pytest

from kapda.adapters.embedded.processes import free_port
from kapda.api.checkout.v1.checkout_pb2 import Checkout
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_pb2 import Order
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.emulator import EmulatorSettings, serving
from kapda.entrypoints.cli.stack import WEBHOOK_PATH, running_stack
from tests.shop.database import Database
from tests.shop.door import Door
from tests.shop.wire import ADMIN_PASSWORD, CALL_SECONDS, Caller, Wire, eventually, insist, reach, reason_of

# A stack of its own: a quarter of a minute of two cores.
pytestmark = pytest.mark.torture


@asynccontextmanager
async def _behind_a_door(folder: Path) -> AsyncIterator[tuple[Wire, Door]]:
    """A stack whose way to the gateway can be shut; the test itself stands inside."""
    webhooks = f"127.0.0.1:{free_port()}"
    gateway = EmulatorSettings(
        key_id="rzp_test_door",
        key_secret=secrets.token_urlsafe(24),
        webhook_url=f"http://{webhooks}{WEBHOOK_PATH}",
        webhook_secret=secrets.token_urlsafe(24),
    )
    async with serving(gateway) as inside:
        place = urlsplit(inside)
        door = Door(place.hostname or "", place.port or 0)
        await door.open()
        given = {
            "KAPDA_SEED_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "KAPDA_WEBHOOKS_ADDRESS": webhooks,
            "KAPDA_RAZORPAY_BASE_URL": door.url,
            "KAPDA_RAZORPAY_KEY_ID": gateway.key_id,
            "KAPDA_RAZORPAY_KEY_SECRET": gateway.key_secret,
            "KAPDA_RAZORPAY_WEBHOOK_SECRETS": gateway.webhook_secret,
            "KAPDA_RAZORPAY_ACCOUNT_ID": gateway.account_id,
            "KAPDA_PAYMENTS_SWEEP_SECONDS": "1",
        }
        try:
            with running_stack(folder, given) as stack:
                async with reach(stack) as outside, httpx.AsyncClient(base_url=inside, timeout=20.0) as client:
                    yield Wire(stack, outside.channel, client, Database(stack.environment["KAPDA_DATABASE_URL"])), door
        finally:
            await door.shut()


async def _cancel(customer: Caller, order: Order) -> Order:
    request = orders.CancelOrderRequest(request_id=str(uuid4()), order_id=order.id, reason="too big")
    stub = OrderServiceStub(customer.wire.channel)
    return (await stub.CancelOrder(request, metadata=customer.metadata, timeout=CALL_SECONDS)).order


async def _is_ready(wire: Wire, process: str) -> bool:
    async with httpx.AsyncClient(base_url=f"http://{wire.stack.environment[process]}") as client:
        return (await client.get("/api/ready")).is_success


async def test_a_gateway_that_is_gone_costs_a_retry_and_nothing_is_lost(tmp_path: Path) -> None:
    async with _behind_a_door(tmp_path) as (wire, door):
        bought, paid, silent, starting = [await wire.sign_up() for _ in range(4)]
        variant = await wire.variant()
        checkout = await bought.checks_out(variant)
        order = await bought.place(bought.coming_back(checkout, await wire.pay(checkout)))
        theirs, unheard = await paid.checks_out(variant), await silent.checks_out(variant)
        await starting.add(variant)
        agreed = await starting.checkout_request()

        await door.shut()
        # The gateway itself goes on: it has taken this money, and its webhooks come.
        back = paid.coming_back(theirs, await wire.pay(theirs))
        await wire.pay(unheard)
        for call in (partial(paid.place, back), partial(starting.start, agreed)):
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call()
            assert (refused.value.code(), reason_of(refused.value)) == (
                grpc.StatusCode.UNAVAILABLE,
                "GATEWAY_UNAVAILABLE",
            )
            assert time.monotonic() - began < 2.0
        await starting.add(await wire.variant())
        assert (await _cancel(bought, order)).state == Order.STATE_CANCELLED
        assert await _is_ready(wire, "KAPDA_WORKER_ADDRESS")
        assert await _is_ready(wire, "KAPDA_WEBHOOKS_ADDRESS")
        assert await wire.orders_of(unheard.id) == 0
        await door.open()

        assert (await insist(partial(paid.place, back))).total == theirs.total
        assert (await insist(partial(starting.start, agreed))).state == Checkout.STATE_OPEN

        async def finished() -> bool:
            sent = await wire.database.fetchval("SELECT count(*) FROM refunds WHERE state = 'processed'")
            return bool(sent == 1 and await wire.orders_of(unheard.id) == 1)

        await eventually(finished, within=60.0)
        await wire.check_promises()
