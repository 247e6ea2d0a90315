"""What clients do: one function makes the rounds of each scenario."""

import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from grpc_health.v1 import health_pb2

from benchmarks.client import Client, RefusedError
from benchmarks.echo import OPEN, SIGNED_IN
from benchmarks.gateway import pay
from benchmarks.job import Job, Scenario
from kapda.api.cart.v1 import cart_service_pb2
from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.checkout.v1 import checkout_service_pb2
from kapda.api.common.v1 import address_pb2
from kapda.api.identity.v1 import identity_service_pb2
from kapda.api.orders.v1 import order_service_pb2

Round: TypeAlias = Callable[[Client], Awaitable[None]]
Request: TypeAlias = tuple[str, bytes]

ADD_ITEM: Final = "/kapda.api.cart.v1.CartService/AddItem"
CLEAR_CART: Final = "/kapda.api.cart.v1.CartService/ClearCart"
START_CHECKOUT: Final = "/kapda.api.checkout.v1.CheckoutService/StartCheckout"
PLACE_ORDER: Final = "/kapda.api.orders.v1.OrderService/PlaceOrder"
LIST_PRODUCTS: Final = "/kapda.api.catalog.v1.CatalogService/ListProducts"
SEARCH_PRODUCTS: Final = "/kapda.api.catalog.v1.CatalogService/SearchProducts"
GET_PRODUCT: Final = "/kapda.api.catalog.v1.CatalogService/GetProduct"
LOG_IN: Final = "/kapda.api.identity.v1.IdentityService/LogIn"
HEALTH: Final = "/grpc.health.v1.Health/Check"

_PAGE_SIZE: Final = 20
_SEARCHES: Final = ("saree", "silk kurta", "cotton", "blue dupatta", "block print", "lehenga")
# So many pieces of so many variants, and the cart is emptied: nobody's cart grows without end.
_VARIANTS_IN_CART: Final = 3
_PIECES_IN_CART: Final = 9


def rounds_of(job: Job) -> Round:
    """The round of the job's scenario."""
    return _ROUNDS[job.scenario](job)


def _purchases(job: Job) -> Round:
    choose = random.Random(job.first_client)  # noqa: S311  (what to buy is no secret)
    unfinished: dict[int, Request] = {}

    def begin() -> Request:
        add = cart_service_pb2.AddItemRequest(request_id=_new_id(), variant_id=choose.choice(job.choices), quantity=1)
        return ADD_ITEM, add.SerializeToString()

    async def purchase(client: Client) -> None:
        """Whoever was told to come again goes on where that was, with the same request."""
        request: Request | None = unfinished.pop(client.number, None) or begin()
        while request is not None:
            try:
                answer = await client.call(*request)
            except RefusedError as refused:
                if refused.come_again:
                    unfinished[client.number] = request
                raise
            request = _next_step(request[0], answer, client.number, job.key_secret)

    return purchase


def _next_step(method: str, answer: bytes, number: int, key_secret: str) -> Request | None:
    """What follows in a purchase on the method's answer; nothing on the last one."""
    if method == ADD_ITEM:
        added = cart_service_pb2.AddItemResponse.FromString(answer)
        start = checkout_service_pb2.StartCheckoutRequest(
            request_id=_new_id(), address=_door(number), expected_total=added.cart.total
        )
        return START_CHECKOUT, start.SerializeToString()
    if method == START_CHECKOUT:
        checkout = checkout_service_pb2.StartCheckoutResponse.FromString(answer).checkout
        paid = pay(checkout.razorpay_order_id, key_secret)
        place = order_service_pb2.PlaceOrderRequest(
            request_id=_new_id(),
            checkout_id=checkout.id,
            razorpay_payment_id=paid.payment_id,
            razorpay_order_id=paid.order_id,
            razorpay_signature=paid.signature,
        )
        return PLACE_ORDER, place.SerializeToString()
    return None


def _adds(job: Job) -> Round:
    added: dict[int, int] = {}

    async def add(client: Client) -> None:
        count = added.get(client.number, 0)
        if count == _PIECES_IN_CART:
            clear = cart_service_pb2.ClearCartRequest(request_id=_new_id())
            await client.call(CLEAR_CART, clear.SerializeToString())
            count = 0
        variant = job.choices[(client.number + count % _VARIANTS_IN_CART) % len(job.choices)]
        request = cart_service_pb2.AddItemRequest(request_id=_new_id(), variant_id=variant, quantity=1)
        await client.call(ADD_ITEM, request.SerializeToString())
        added[client.number] = count + 1

    return add


def _lists(_job: Job) -> Round:
    return _the_same(LIST_PRODUCTS, catalog_service_pb2.ListProductsRequest(page_size=_PAGE_SIZE).SerializeToString())


def _searches(job: Job) -> Round:
    choose = random.Random(job.first_client)  # noqa: S311  (what to look for is no secret)
    requests = [
        catalog_service_pb2.SearchProductsRequest(query=words, page_size=_PAGE_SIZE).SerializeToString()
        for words in _SEARCHES
    ]

    async def search(client: Client) -> None:
        await client.call(SEARCH_PRODUCTS, choose.choice(requests))

    return search


def _gets(job: Job) -> Round:
    choose = random.Random(job.first_client)  # noqa: S311  (what to look at is no secret)

    async def get(client: Client) -> None:
        request = catalog_service_pb2.GetProductRequest(product_id=choose.choice(job.choices))
        await client.call(GET_PRODUCT, request.SerializeToString())

    return get


def _log_ins(_job: Job) -> Round:
    async def log_in(client: Client) -> None:
        request = identity_service_pb2.LogInRequest(email=client.account.email, password=client.account.password)
        await client.call(LOG_IN, request.SerializeToString())

    return log_in


def _echoes(_job: Job) -> Round:
    return _the_same(HEALTH, health_pb2.HealthCheckRequest().SerializeToString())


def _the_same(method: str, request: bytes) -> Round:
    async def again(client: Client) -> None:
        await client.call(method, request)

    return again


_ROUNDS: Mapping[Scenario, Callable[[Job], Round]] = {
    Scenario.PURCHASE: _purchases,
    Scenario.ADD: _adds,
    Scenario.LIST: _lists,
    Scenario.SEARCH: _searches,
    Scenario.GET: _gets,
    Scenario.LOG_IN: _log_ins,
    Scenario.ECHO: _echoes,
    Scenario.OPEN: lambda _job: _the_same(OPEN, b""),
    Scenario.SIGNED_IN: lambda _job: _the_same(SIGNED_IN, b""),
}


def _door(number: int) -> address_pb2.Address:
    """Everybody has a door of their own: checkouts for one door are limited."""
    return address_pb2.Address(
        name="Meera Nair",
        phone="+919000090000",
        line1=f"House {number}, 3rd Cross, Indiranagar",
        city="Bengaluru",
        state_code="KA",
        pin_code="560038",
    )


def _new_id() -> str:
    return str(uuid.uuid4())
