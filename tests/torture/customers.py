"""Customers who buy, change their minds, pay, vanish and call off, and an admin who refunds and receives stock."""

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.checkout.v1 import checkout_service_pb2 as checkouts
from kapda.api.checkout.v1.checkout_pb2 import Checkout
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.inventory.v1 import inventory_service_pb2 as inventory
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_pb2 import Order
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from tests.shop.wire import Wire, a_home
from tests.torture.calls import Line, RefusedError

# What a customer may hear who did nothing wrong: others bought meanwhile, a payment was not enough, a hand was faster.
EXPECTED = frozenset(
    {
        "INSUFFICIENT_STOCK",
        "CART_CHANGED",
        "CART_EMPTY",
        "PRICE_CHANGED",
        "QUANTITY_LIMIT_EXCEEDED",
        "CHECKOUT_STATE_INVALID",
        "PAYMENT_NOT_CAPTURED",
        "PAYMENT_REFUNDED",
        "PAYMENT_UNDER_REVIEW",
        "ORDER_STATE_INVALID",
        "REFUND_EXCEEDS_ORDER",
        "RATE_LIMITED",
    }
)


@dataclass
class Person:
    """Somebody signed in, who does one thing after the other."""

    wire: Wire
    line: Line
    home: Any = field(default_factory=a_home)

    @property
    def id(self) -> str:
        """The user's id."""
        return self.line.shown.user_id

    @property
    def dice(self) -> random.Random:
        """The caller's own."""
        return self.line.dice

    def new_id(self) -> str:
        """A request id from the dice."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    async def trying(self, call: Awaitable[Any]) -> Any:
        """The answer, or None when it was refused for a reason that may well be."""
        try:
            return await call
        except RefusedError as refused:
            self.refused(refused.reason)
            return None

    def refused(self, reason: str) -> None:
        """Note a refusal. Raises AssertionError for one that this shop has no reason for."""
        self.line.diary.refusals[reason] += 1
        if reason not in EXPECTED:
            raise AssertionError(reason)


@dataclass
class Customer(Person):
    """Buys what is on the shelf, again and again."""

    shelf: tuple[str, ...] = ()
    admin: "Admin | None" = None
    leaves: bool = False

    async def visits(self, stop: asyncio.Event) -> None:
        """Until closing time, or until the shop has had enough of unpaid checkouts."""
        while not (stop.is_set() or self.leaves):
            await self.visit()
            await asyncio.sleep(self.dice.uniform(0.0, 0.2))

    async def visit(self) -> None:
        """From the cart to whatever comes of it."""
        for variant in self.dice.sample(self.shelf, k=self.dice.randint(1, 2)):
            await self._add(variant, self.dice.randint(1, 2))
        checkout = await self._start()
        if checkout is None:
            return
        roll = self.dice.random()
        if roll < 0.05:
            await self._abandon(checkout)
        elif roll < 0.15:
            checkout = await self._second_thought(checkout)
        if checkout is None or roll < 0.03:
            return
        triple = await self._pay(checkout)
        if triple is None or self.dice.random() < 0.25:
            return
        order = await self._come_back(checkout, triple)
        if order is not None:
            await self._afterwards(order)

    async def _add(self, variant: str, quantity: int) -> None:
        request = carts.AddItemRequest(request_id=self.new_id(), variant_id=variant, quantity=quantity)
        if await self.trying(self.line.ask(CartServiceStub(self.wire.channel).AddItem, request)) is not None:
            self.line.diary.added[self.id, variant] += quantity

    async def _start(self) -> Checkout | None:
        cart = (await self.line.read(CartServiceStub(self.wire.channel).GetCart, carts.GetCartRequest())).cart
        request = checkouts.StartCheckoutRequest(request_id=self.new_id(), address=self.home, expected_total=cart.total)
        try:
            answer = await self.line.ask(CheckoutServiceStub(self.wire.channel).StartCheckout, request)
        except RefusedError as refused:
            self.refused(refused.reason)
            self.leaves = refused.reason == "RATE_LIMITED"
            return None
        self.line.diary.started[request.request_id] = answer.checkout.id
        found: Checkout = answer.checkout
        return found

    async def _abandon(self, checkout: Checkout) -> None:
        request = checkouts.AbandonCheckoutRequest(request_id=self.new_id(), checkout_id=checkout.id)
        await self.trying(self.line.ask(CheckoutServiceStub(self.wire.channel).AbandonCheckout, request))

    async def _second_thought(self, checkout: Checkout) -> Checkout | None:
        """One more piece; now and then the old checkout is paid in another tab."""
        await self._add(self.dice.choice(self.shelf), 1)
        paying = self._pay(checkout) if self.dice.random() < 0.4 else asyncio.sleep(0)
        newer, _ = await asyncio.gather(self._start(), paying)
        return newer

    async def _pay(self, checkout: Checkout) -> dict[str, str] | None:
        """At the gateway, which may be frozen, or may take no more money for that order."""
        outcome = self.dice.choices(["success", "authorize_only", "failure", "late"], weights=[70, 12, 12, 6])[0]
        method = self.dice.choice(["upi", "card", "netbanking"])
        body = {"order_id": checkout.razorpay_order_id, "outcome": outcome, "method": method}
        answer = await self._at_the_gateway("/emulator/pay", body)
        told: Any = answer.json()
        if answer.is_success and "razorpay_signature" in told:
            self.line.diary.paid.add(told["razorpay_payment_id"])
            return dict(told)
        failed = told.get("error", {}).get("metadata", {}).get("payment_id")
        if not failed or self.dice.random() < 0.3:
            return None
        # The bank's late yes.
        await asyncio.sleep(self.dice.uniform(0, 0.3))
        yes = await self._at_the_gateway(f"/emulator/payments/{failed}/authorize", {})
        if not yes.is_success:
            return None
        self.line.diary.paid.add(failed)
        return {key: value for key, value in yes.json().items() if key.startswith("razorpay_")}

    async def _at_the_gateway(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.wire.gateway.post(path, json=body)

    async def _come_back(self, checkout: Checkout, triple: dict[str, str]) -> Order | None:
        request = orders.PlaceOrderRequest(request_id=self.new_id(), checkout_id=checkout.id, **triple)
        answer = await self.trying(self.line.ask(OrderServiceStub(self.wire.channel).PlaceOrder, request))
        if answer is None:
            return None
        self.line.diary.placed[request.request_id] = (checkout.id, answer.order.id)
        found: Order = answer.order
        return found

    async def _afterwards(self, order: Order) -> None:
        roll = self.dice.random()
        doing = []
        if roll < 0.3:
            doing.append(self._call_off(order))
        if 0.2 < roll < 0.5 and self.admin is not None:
            doing.append(self.admin.refunds(order, restock=roll < 0.4))
        await asyncio.gather(*doing)

    async def _call_off(self, order: Order) -> None:
        request = orders.CancelOrderRequest(request_id=self.new_id(), order_id=order.id, reason="changed my mind")
        if await self.trying(self.line.ask(OrderServiceStub(self.wire.channel).CancelOrder, request)) is not None:
            self.line.diary.cancelled[request.request_id] = order.id


class Admin(Person):
    """Refunds pieces, and fills the shelf again."""

    async def refunds(self, order: Order, *, restock: bool) -> None:
        """One piece of one line."""
        line = self.dice.choice(list(order.lines))
        request = orders.RefundOrderRequest(
            request_id=self.new_id(),
            order_id=order.id,
            lines=[orders.RefundLine(position=line.position, quantity=1)],
            restock=restock,
            reason="arrived torn",
        )
        answer = await self.trying(self.line.ask(OrderServiceStub(self.wire.channel).RefundOrder, request))
        if answer is not None:
            self.line.diary.refunded[request.request_id] = (order.id, answer.refund.id)
            if restock:
                self.line.diary.restocked[line.variant_id] += 1

    async def fills(self, shelf: tuple[str, ...], stop: asyncio.Event) -> None:
        """Some pieces arrive every now and then."""
        while not stop.is_set():
            variant, pieces = self.dice.choice(shelf), self.dice.randint(2, 12)
            request = inventory.ReceiveStockRequest(
                request_id=self.new_id(), variant_id=variant, quantity=pieces, reason="delivery"
            )
            receive = InventoryServiceStub(self.wire.channel).ReceiveStock
            if await self.trying(self.line.ask(receive, request)) is not None:
                self.line.diary.received[variant] += pieces
            await asyncio.sleep(self.dice.uniform(0.05, 0.4))
