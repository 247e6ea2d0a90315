"""F55: callers have gone, their calls are at work, and the server is told to go: it ends soon, and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
import pytest

from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.checkout.v1 import checkout_service_pb2 as checkouts
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, VariantId
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import build_server, close_container
from tests.shop.buyer import Buyer, new_buyers
from tests.shop.desk import check_books
from tests.shop.shop import Shop, new_request
from tests.shop.wire import a_home
from tests.waiting import until

# What the drain may take when all that it waits for ends soon: no limit of time of its own plays a part.
SOON_SECONDS = 10.0
CALLERS = 4
Call = Callable[[grpc.aio.Channel], Any]
Drain = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Begun:
    """A customer, and the one call that is sent: the same bytes each time."""

    buyer: Buyer
    call: Call


@asynccontextmanager
async def _server(shop: Shop) -> AsyncIterator[tuple[grpc.aio.Channel, Drain]]:
    """A server of its own, and how to tell it to go."""
    container = Container(settings=shop.container.settings())
    server = build_server(container.settings().model_copy(update={"grpc_address": "127.0.0.1:0"}), container)
    port = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, server.drain
    finally:
        await close_container(container)


async def _metadata(shop: Shop, buyer: Buyer) -> tuple[tuple[str, str], ...]:
    now = shop.container.clock().now()
    session = Session.start(SessionId(shop.container.ids().new()), buyer.id, now)
    await shop.sql(
        "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES (:id, :user, :at, :until)",
        id=session.id,
        user=buyer.id,
        at=session.created_at,
        until=session.expires_at,
    )
    claims = AccessClaims.for_session(session, Role.CUSTOMER, shop.container.ids().new(), now)
    return (("authorization", f"Bearer {shop.container.access_tokens().issue(claims)}"),)


async def _adds(shop: Shop, buyer: Buyer, variant: VariantId) -> Call:
    await buyer.add(variant)
    request = carts.AddItemRequest(request_id=str(new_request()), variant_id=str(variant), quantity=1)
    metadata = await _metadata(shop, buyer)
    return lambda channel: CartServiceStub(channel).AddItem(request, metadata=metadata, timeout=30)


async def _starts(shop: Shop, buyer: Buyer, variant: VariantId) -> Call:
    await buyer.add(variant)
    request = checkouts.StartCheckoutRequest(request_id=str(new_request()), address=a_home())
    request.expected_total.currency_code = "INR"
    request.expected_total.amount_minor = 100_000
    metadata = await _metadata(shop, buyer)
    return lambda channel: CheckoutServiceStub(channel).StartCheckout(request, metadata=metadata, timeout=30)


async def _places(shop: Shop, buyer: Buyer, variant: VariantId) -> Call:
    checkout = await buyer.checks_out_one(variant)
    triple = await buyer.pay(checkout, outcome="authorize_only")
    request = orders.PlaceOrderRequest(request_id=str(new_request()), checkout_id=str(checkout.id), **triple)
    metadata = await _metadata(shop, buyer)
    return lambda channel: OrderServiceStub(channel).PlaceOrder(request, metadata=metadata, timeout=30)


@asynccontextmanager
async def _held_up(shop: Shop, begun: Sequence[Begun], channel: grpc.aio.Channel) -> AsyncIterator[None]:
    """All calls are at work, each waiting for its cart; then their callers go. Inside the block the carts are locked."""
    url = shop.container.settings().database_url.get_secret_value()
    locker = await asyncpg.connect(url)
    try:
        async with locker.transaction():
            ids = [one.buyer.id for one in begun]
            await locker.execute("SELECT FROM carts WHERE customer_id = ANY($1::uuid[]) FOR UPDATE", ids)
            calls = [one.call(channel) for one in begun]
            waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

            async def all_wait() -> bool:
                return await shop.count(waiting) == len(begun)

            await until(all_wait, within=20.0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            yield
    finally:
        await locker.close()


CASES = {"AddItem": _adds, "StartCheckout": _starts, "PlaceOrder": _places}
# What each of them leaves for each customer, once it has taken effect.
EFFECTS = {
    "AddItem": "cart_lines l JOIN carts c ON c.id = l.cart_id WHERE c.customer_id = ANY(:ids) AND l.quantity = 2",
    "StartCheckout": "checkouts WHERE customer_id = ANY(:ids) AND state = 'open' AND gateway_order_id IS NOT NULL",
    "PlaceOrder": "orders WHERE customer_id = ANY(:ids)",
}


async def _prepared(shop: Shop, method: str) -> list[Begun]:
    variant = await shop.variant(pieces=50)
    return [Begun(buyer, await CASES[method](shop, buyer, variant)) for buyer in await new_buyers(shop, CALLERS)]


async def _effects(shop: Shop, method: str, begun: Sequence[Begun]) -> int:
    return await shop.count(EFFECTS[method], ids=[one.buyer.id for one in begun])


async def _again(shop: Shop, begun: Sequence[Begun]) -> None:
    """The callers come back, at the next server, with the same bytes."""
    await shop.sql("UPDATE checkouts SET gateway_lease_until = NULL WHERE state = 'opening'")
    async with _server(shop) as (channel, drain):
        await asyncio.gather(*(one.call(channel) for one in begun))
        await drain()


@pytest.mark.parametrize("method", CASES)
async def test_f55_what_was_begun_for_callers_who_have_gone_is_finished_or_undone_by_a_drain_that_ends(
    shop: Shop, method: str
) -> None:
    begun = await _prepared(shop, method)
    async with _server(shop) as (channel, drain):
        async with _held_up(shop, begun, channel):
            draining = asyncio.create_task(drain())
            # The drain has begun by the next turns of the loop; what it waits for is still locked.
            await asyncio.sleep(0.05)
        async with asyncio.timeout(SOON_SECONDS):
            await draining

    # Money phases go on without their callers. What moves no money is undone with its caller, as a whole.
    assert await _effects(shop, method, begun) == (0 if method == "AddItem" else CALLERS)
    assert await shop.count("pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
    await _again(shop, begun)
    assert await _effects(shop, method, begun) == CALLERS
    await check_books(shop)


@pytest.mark.parametrize("method", CASES)
async def test_f55_locks_that_nobody_gives_back_keep_no_drain_open(shop: Shop, method: str) -> None:
    """Every wait has its own end; that of a lock is four seconds."""
    begun = await _prepared(shop, method)
    async with _server(shop) as (channel, drain), _held_up(shop, begun, channel), asyncio.timeout(SOON_SECONDS):
        await drain()

    await _again(shop, begun)
    assert await _effects(shop, method, begun) == CALLERS
    await check_books(shop)
