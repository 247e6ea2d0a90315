"""A server in the test's own process, and calls that move money, ready to be sent to it: the same bytes each time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message

from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.checkout.v1 import checkout_service_pb2 as checkouts
from kapda.api.ops.v1 import ops_service_pb2 as ops
from kapda.api.ops.v1.promise_pb2 import PaymentCase
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, SigningKeyId, UserId, VariantId
from kapda.entrypoints.cli.signer import Signer
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import build_server, close_container
from tests.shop.buyer import Buyer, deliver
from tests.shop.desk import cases_of, faults
from tests.shop.shop import Shop, new_request
from tests.shop.wire import a_home

Drain = Callable[[], Coroutine[Any, Any, None]]
Metadata = tuple[tuple[str, str], ...]


@asynccontextmanager
async def server(shop: Shop, wired: Container | None = None) -> AsyncIterator[tuple[grpc.aio.Channel, Drain]]:
    """A server of its own, and how to tell it to go."""
    container = wired or Container(settings=shop.container.settings())
    running = build_server(container.settings().model_copy(update={"grpc_address": "127.0.0.1:0"}), container)
    port = await running.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, running.drain
    finally:
        await close_container(container)


async def signed_in(shop: Shop, user: UserId, role: Role = Role.CUSTOMER) -> Metadata:
    """What somebody shows whose password nobody asked for."""
    now = shop.container.clock().now()
    session = Session.start(SessionId(shop.container.ids().new()), user, now)
    await shop.sql(
        "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES (:id, :user, :at, :until)",
        id=session.id,
        user=user,
        at=session.created_at,
        until=session.expires_at,
    )
    claims = AccessClaims.for_session(session, role, shop.container.ids().new(), now)
    return (("authorization", f"Bearer {shop.container.access_tokens().issue(claims)}"),)


@dataclass(frozen=True)
class Ready:
    """One call, as often as one likes; who has to sign signs each sending anew."""

    path: str
    request: Message
    answer: Any
    shown: Metadata
    signer: Signer | None = None

    def __call__(self, channel: grpc.aio.Channel) -> Any:
        """Send it."""
        body = self.request.SerializeToString()
        signature = self.signer.headers(self.path, body) if self.signer is not None else ()
        unary: Any = channel.unary_unary(self.path, response_deserializer=self.answer.FromString)
        return unary(body, metadata=(*self.shown, *signature), timeout=30)


@dataclass(frozen=True)
class MoneyCall:
    """A method: how one call of it is made ready, what there is exactly one of for each customer of `:ids` once it has
    taken effect, and which rows of theirs it cannot do without."""

    use_case: str
    ready: Callable[[Shop, Buyer, VariantId], Awaitable[Ready]]
    effects: str
    locks: str = "SELECT FROM carts WHERE customer_id = ANY($1::uuid[]) FOR UPDATE"


async def _adds(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    await buyer.add(variant)
    request = carts.AddItemRequest(request_id=str(new_request()), variant_id=str(variant), quantity=1)
    shown = await signed_in(shop, buyer.id)
    return Ready("/kapda.api.cart.v1.CartService/AddItem", request, carts.AddItemResponse, shown)


async def _starts(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    await buyer.add(variant)
    request = checkouts.StartCheckoutRequest(request_id=str(new_request()), address=a_home())
    request.expected_total.currency_code = "INR"
    request.expected_total.amount_minor = 100_000
    path = "/kapda.api.checkout.v1.CheckoutService/StartCheckout"
    return Ready(path, request, checkouts.StartCheckoutResponse, await signed_in(shop, buyer.id))


async def _places(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    checkout = await buyer.checks_out_one(variant)
    triple = await buyer.pay(checkout, outcome="authorize_only")
    request = orders.PlaceOrderRequest(request_id=str(new_request()), checkout_id=str(checkout.id), **triple)
    path = "/kapda.api.orders.v1.OrderService/PlaceOrder"
    return Ready(path, request, orders.PlaceOrderResponse, await signed_in(shop, buyer.id))


async def _cancels(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    order = await buyer.buys(variant)
    request = orders.CancelOrderRequest(request_id=str(new_request()), order_id=str(order.id), reason="mistake")
    path = "/kapda.api.orders.v1.OrderService/CancelOrder"
    return Ready(path, request, orders.CancelOrderResponse, await signed_in(shop, buyer.id))


async def _by_an_admin(shop: Shop, path: str, request: Message, answer: Any) -> Ready:
    admin = await shop.admin()
    # The shop gives every admin a key of the same id.
    key = SigningKeyId(UUID(str(admin.user_id)))
    signer = Signer(key, admin.user_id, shop.container.signing_secrets().secret_of(key))
    return Ready(path, request, answer, await signed_in(shop, admin.user_id, Role.ADMIN), signer)


async def _refunds(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    order = await buyer.buys(variant)
    request = orders.RefundOrderRequest(
        request_id=str(new_request()),
        order_id=str(order.id),
        lines=[orders.RefundLine(position=1, quantity=1)],
        reason="arrived torn",
    )
    path = "/kapda.api.orders.v1.OrderService/RefundOrder"
    return await _by_an_admin(shop, path, request, orders.RefundOrderResponse)


async def _resolves(shop: Shop, buyer: Buyer, variant: VariantId) -> Ready:
    checkout = await buyer.checks_out_one(variant)
    async with faults(shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
        triple = await buyer.pay(checkout)
    await deliver(shop, triple)
    (case,) = await cases_of(shop, triple["razorpay_payment_id"])
    request = ops.ResolveCaseRequest(
        request_id=str(new_request()),
        case_id=str(case["id"]),
        resolution=PaymentCase.RESOLUTION_REFUND,
        reason="as agreed by phone",
    )
    return await _by_an_admin(shop, "/kapda.api.ops.v1.OpsService/ResolveCase", request, ops.ResolveCaseResponse)


_PAYMENTS = """SELECT FROM payments WHERE checkout_id IN (SELECT id FROM checkouts WHERE customer_id = ANY($1::uuid[]))
    FOR UPDATE"""
_REFUNDS = """refunds r JOIN payments p ON p.id = r.payment_id JOIN checkouts c ON c.id = p.checkout_id
    WHERE c.customer_id = ANY(:ids)"""
# Not one of money: it is undone with its caller.
ADD_ITEM = MoneyCall(
    "add_item",
    _adds,
    "cart_lines l JOIN carts c ON c.id = l.cart_id WHERE c.customer_id = ANY(:ids) AND l.quantity = 2",
)
MONEY_CALLS = {
    "StartCheckout": MoneyCall(
        "start_checkout",
        _starts,
        "checkouts WHERE customer_id = ANY(:ids) AND state = 'open' AND gateway_order_id IS NOT NULL",
    ),
    "PlaceOrder": MoneyCall("place_order", _places, "orders WHERE customer_id = ANY(:ids)"),
    "CancelOrder": MoneyCall("cancel_order", _cancels, f"{_REFUNDS} AND r.kind = 'order_cancelled'", _PAYMENTS),
    "RefundOrder": MoneyCall("refund_order", _refunds, f"{_REFUNDS} AND r.kind = 'order_lines'", _PAYMENTS),
    "ResolveCase": MoneyCall("resolve_case", _resolves, f"{_REFUNDS} AND r.kind NOT LIKE 'order%'"),
}
