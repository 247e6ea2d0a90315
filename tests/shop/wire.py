"""The running shop as its customers, its gateway and its owner reach it: gRPC, HTTP, and a look into the database."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import grpc
import httpx
from google.rpc import error_details_pb2, status_pb2
from redis.asyncio import Redis

from kapda.adapters.redis.event_stream import STREAM
from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.checkout.v1 import checkout_service_pb2 as checkouts
from kapda.api.checkout.v1.checkout_pb2 import Checkout
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.common.v1.address_pb2 import Address
from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.ops.v1 import ops_service_pb2 as ops
from kapda.api.ops.v1.ops_service_pb2_grpc import OpsServiceStub
from kapda.api.ops.v1.promise_pb2 import PromiseResult
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_pb2 import Order
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.entrypoints.cli.stack import Stack
from tests.shop.database import Database
from tests.shop.desk import Sums, check_books
from tests.shop.looking_on import looking_on

T = TypeVar("T")
_dice = random.Random(7)  # noqa: S311  (pauses, no secrets)
Json = dict[str, Any]
Triple = Mapping[str, str]
# Longer than the server allows a call; some of it may be spent on waiting for a server that is being started again.
CALL_SECONDS = 40
PASSWORD = "corridor-lantern-41-peacock"
ADMIN_EMAIL, ADMIN_PASSWORD = "admin@kapda.example", "lantern-corridor-14-monsoon"


def a_home() -> Address:
    """An address where nobody else lives: how many checkouts may wait at one door is limited."""
    return Address(
        name="Asha Kulkarni",
        phone="+919820012345",
        line1=f"{uuid4().hex} Prabhat Road",
        city="Pune",
        state_code="MH",
        pin_code="411004",
    )


# What a client of ours retries, with the same request id: the answer says that it may. A call that came in the very
# instant in which a server stopped is heard of as cancelled.
_COME_AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in a refusal's ErrorInfo; empty where there is none."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


async def eventually(check: Callable[[], Awaitable[T]], *, within: float = 10.0) -> T:
    """The first true answer of `check`."""
    deadline = time.monotonic() + within
    while not (found := await check()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        await asyncio.sleep(0.05)
    return found


@dataclass
class Wire:
    """Everything that can be reached from outside."""

    stack: Stack
    channel: grpc.aio.Channel
    gateway: httpx.AsyncClient
    database: Database

    async def sign_up(self) -> "Caller":
        """A new customer."""
        request = identity.SignUpRequest(email=f"{uuid4().hex}@example.com", password=PASSWORD, display_name="Asha")
        answer = await IdentityServiceStub(self.channel).SignUp(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return Caller(self, answer.tokens.access_token)

    async def admin(self) -> "Caller":
        """The seed's admin."""
        request = identity.LogInRequest(email=ADMIN_EMAIL, password=ADMIN_PASSWORD)
        answer = await IdentityServiceStub(self.channel).LogIn(request, timeout=CALL_SECONDS, wait_for_ready=True)
        return Caller(self, answer.tokens.access_token)

    async def variant(self, *, pieces: int = 20) -> str:
        """One of the seed's variants on sale that no test has used, with so many pieces on the shelf."""
        row = await self.database.fetchrow(
            """SELECT v.id, s.on_hand FROM variants v JOIN products p ON p.id = v.product_id
               JOIN stock s ON s.variant_id = v.id
               WHERE p.state = 'published' AND v.active AND s.on_hand > 0 AND s.held = 0
                 AND NOT EXISTS (SELECT FROM cart_lines WHERE variant_id = v.id)
                 AND NOT EXISTS (SELECT FROM stock_holds WHERE variant_id = v.id) ORDER BY random() LIMIT 1"""
        )
        await self.database.execute(
            """WITH counted AS (UPDATE stock SET on_hand = $2 WHERE variant_id = $1)
               INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
               SELECT $1, 'adjust', $3, 0, 'counted', 'test', now() WHERE $3 <> 0""",
            row["id"],
            pieces,
            pieces - row["on_hand"],
        )
        return str(row["id"])

    async def pay(self, checkout: Checkout, **how: object) -> Json:
        """Play the customer at the gateway."""
        answer = await self.gateway.post("/emulator/pay", json={"order_id": checkout.razorpay_order_id, **how})
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    async def books(self) -> Json:
        """What the gateway has."""
        found: Json = (await self.gateway.get("/emulator/books")).raise_for_status().json()
        return found

    async def webhooks(self, *, enabled: bool) -> None:
        """Switch deliveries on or off at the gateway."""
        (await self.gateway.put("/emulator/webhooks", json={"enabled": enabled})).raise_for_status()

    async def fault(self, **fault: object) -> None:
        """Have the gateway go wrong once."""
        answer = await self.gateway.put("/emulator/faults", json=[{"times": 1, **fault}])
        assert answer.is_success, answer.text

    async def gateway_behaves(self) -> None:
        """Nothing goes wrong at the gateway any more, and it delivers."""
        (await self.gateway.delete("/emulator/faults")).raise_for_status()
        await self.webhooks(enabled=True)

    async def becomes_due(self, checkout_id: str) -> None:
        """Time passes for one checkout: the poller should look, and nobody has its lease."""
        await self.database.execute(
            """UPDATE checkouts SET next_check_at = now() - interval '1 second', gateway_lease_until = NULL
               WHERE id = $1::uuid""",
            checkout_id,
        )

    async def orders_of(self, checkout_id: str) -> int:
        """How many orders the checkout has become."""
        return int(
            await self.database.fetchval("SELECT count(*) FROM orders WHERE checkout_id = $1::uuid", checkout_id)
        )

    async def level(self, variant_id: str) -> tuple[int, int]:
        """On hand and held."""
        row = await self.database.fetchrow("SELECT on_hand, held FROM stock WHERE variant_id = $1::uuid", variant_id)
        return row["on_hand"], row["held"]

    async def events_of(self, aggregate_id: str) -> list[str]:
        """The types of the aggregate's events that have left, as a consumer finds them."""
        url = self.stack.environment["KAPDA_REDIS_URL"]
        async with Redis.from_url(url, decode_responses=True) as client:
            entries: Any = await client.xrange(STREAM)
        return [str(fields["type"]) for _, fields in entries if fields["aggregate"] == aggregate_id]

    async def check_promises(self) -> None:
        """Every promise holds, as the shop itself says; and soon, when the worker has had its turn, the gateway's books are
        ours: captured = orders + refunds + open cases, to the paisa."""
        admin = await self.admin()
        report = await OpsServiceStub(self.channel).CheckPromises(
            ops.CheckPromisesRequest(), metadata=admin.metadata, timeout=CALL_SECONDS
        )
        assert report.promises
        broken = [p for p in report.promises if p.verdict == PromiseResult.VERDICT_BROKEN]
        assert not broken, broken
        await self.check_books()

    async def check_books(self, *, within: float = 20.0) -> Sums:
        """The books, as soon as both sides know of everything; where each paisa is."""
        deadline = time.monotonic() + within
        async with looking_on(self.stack, self.gateway) as shop:
            while True:
                try:
                    return await check_books(shop)
                except AssertionError:
                    if time.monotonic() > deadline:
                        raise
                await asyncio.sleep(0.2)


@dataclass(frozen=True)
class Caller:
    """Somebody signed in."""

    wire: Wire
    token: str
    home: Address = field(default_factory=a_home)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What each call carries."""
        return (("authorization", f"Bearer {self.token}"),)

    async def me(self) -> identity.GetMeResponse:
        """Who am I."""
        stub = IdentityServiceStub(self.wire.channel)
        return await stub.GetMe(identity.GetMeRequest(), metadata=self.metadata, timeout=CALL_SECONDS)

    async def log_out(self) -> None:
        """End the session."""
        stub = IdentityServiceStub(self.wire.channel)
        await stub.LogOut(identity.LogOutRequest(), metadata=self.metadata, timeout=CALL_SECONDS)

    async def add(self, variant_id: str, quantity: int = 1) -> None:
        """Into the cart."""
        request = carts.AddItemRequest(request_id=str(uuid4()), variant_id=variant_id, quantity=quantity)
        await CartServiceStub(self.wire.channel).AddItem(request, metadata=self.metadata, timeout=CALL_SECONDS)

    async def checkout_request(self, request_id: str = "") -> checkouts.StartCheckoutRequest:
        """Agree to what the cart costs."""
        answer = await CartServiceStub(self.wire.channel).GetCart(
            carts.GetCartRequest(), metadata=self.metadata, timeout=CALL_SECONDS
        )
        return checkouts.StartCheckoutRequest(
            request_id=request_id or str(uuid4()), address=self.home, expected_total=answer.cart.total
        )

    async def start(self, request: checkouts.StartCheckoutRequest, channel: grpc.aio.Channel | None = None) -> Checkout:
        """Start a checkout, at another server than the usual where one is given."""
        stub = CheckoutServiceStub(channel or self.wire.channel)
        answer = await stub.StartCheckout(request, metadata=self.metadata, timeout=CALL_SECONDS, wait_for_ready=True)
        return answer.checkout

    async def checks_out(self, variant_id: str, quantity: int = 1) -> Checkout:
        """Into the cart, and checked out."""
        await self.add(variant_id, quantity)
        return await self.start(await self.checkout_request())

    def coming_back(self, checkout: Checkout, triple: Triple, request_id: str = "") -> orders.PlaceOrderRequest:
        """What the browser sends after paying."""
        return orders.PlaceOrderRequest(request_id=request_id or str(uuid4()), checkout_id=checkout.id, **triple)

    async def place(self, request: orders.PlaceOrderRequest) -> Order:
        """Come back from paying."""
        stub = OrderServiceStub(self.wire.channel)
        return (await stub.PlaceOrder(request, metadata=self.metadata, timeout=CALL_SECONDS, wait_for_ready=True)).order

    async def orders(self) -> list[str]:
        """The ids of the caller's orders."""
        request = orders.ListOrdersRequest()
        answer = await OrderServiceStub(self.wire.channel).ListOrders(
            request, metadata=self.metadata, timeout=CALL_SECONDS
        )
        return [order.id for order in answer.orders]

    async def order(self, order_id: str) -> Order:
        """One order in full."""
        request = orders.GetOrderRequest(order_id=order_id)
        answer = await OrderServiceStub(self.wire.channel).GetOrder(
            request, metadata=self.metadata, timeout=CALL_SECONDS
        )
        return answer.order


async def insist(call: Callable[[], Awaitable[T]], *, within: float = 60.0) -> T:
    """Repeat a call, its request id the same, for as long as the answers say that this may help; less and less often."""
    deadline, pause = time.monotonic() + within, 0.1
    while True:
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _COME_AGAIN or time.monotonic() > deadline:
                raise
        await asyncio.sleep(pause * _dice.uniform(0.5, 1.5))
        pause = min(2 * pause, 1.0)


@asynccontextmanager
async def reach(stack: Stack) -> AsyncIterator[Wire]:
    """Connect to everything."""
    environment = stack.environment
    channel = grpc.aio.insecure_channel(
        environment["KAPDA_GRPC_ADDRESS"],
        # A killed server is back within a second; nobody should wait longer before trying again.
        options=[("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)],
    )
    url = environment["KAPDA_RAZORPAY_BASE_URL"]
    async with channel, httpx.AsyncClient(base_url=url, timeout=20.0) as gateway:
        yield Wire(stack, channel, gateway, Database(environment["KAPDA_DATABASE_URL"]))
