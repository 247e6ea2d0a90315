"""Somebody with an account at the shop, and what they can do over the wire."""

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

import grpc

from kapda.api.cart.v1 import cart_pb2, cart_service_pb2
from kapda.api.checkout.v1 import checkout_pb2, checkout_service_pb2
from kapda.api.common.v1 import address_pb2, money_pb2
from kapda.api.identity.v1 import identity_service_pb2
from kapda.api.orders.v1 import order_pb2, order_service_pb2
from kapda.entrypoints.cli.razorpay_page import Triple
from kapda.entrypoints.cli.wire import Reply, Request, Response, Wire, send

_PAGE_SIZE: Final = 100
_FLATS: Final = 9_999


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in account. Every method raises RefusedError."""

    wire: Wire
    name: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)

    async def send(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request
    ) -> Reply[Response]:
        """Call as this account."""
        return await send(method, request, self.token)

    async def add(self, variant_id: str, quantity: int) -> cart_pb2.Cart:
        """Put pieces into the cart."""
        request = cart_service_pb2.AddItemRequest(request_id=new_id(), variant_id=variant_id, quantity=quantity)
        return (await self.send(self.wire.cart.AddItem, request)).message.cart

    async def start_checkout(self, total: money_pb2.Money) -> checkout_pb2.Checkout:
        """Check the cart out, agreeing to its total; nobody pays for delivery here."""
        request = checkout_service_pb2.StartCheckoutRequest(
            request_id=new_id(), address=home_of(self), expected_total=total
        )
        return (await self.send(self.wire.checkout.StartCheckout, request)).message.checkout

    async def checkout(self, checkout_id: str) -> checkout_pb2.Checkout:
        """Look at a checkout."""
        request = checkout_service_pb2.GetCheckoutRequest(checkout_id=checkout_id)
        return (await self.send(self.wire.checkout.GetCheckout, request)).message.checkout

    async def place(
        self, checkout: checkout_pb2.Checkout, triple: Triple, request_id: str = ""
    ) -> Reply[order_service_pb2.PlaceOrderResponse]:
        """Come back from paying."""
        request = order_service_pb2.PlaceOrderRequest(
            request_id=request_id or new_id(),
            checkout_id=checkout.id,
            razorpay_payment_id=triple.razorpay_payment_id,
            razorpay_order_id=triple.razorpay_order_id,
            razorpay_signature=triple.razorpay_signature,
        )
        return await self.send(self.wire.orders.PlaceOrder, request)

    async def abandon(self, checkout_id: str) -> None:
        """Give a checkout up."""
        request = checkout_service_pb2.AbandonCheckoutRequest(request_id=new_id(), checkout_id=checkout_id)
        await self.send(self.wire.checkout.AbandonCheckout, request)

    async def cancel(self, order_id: str) -> order_pb2.Order:
        """Call an order off."""
        request = order_service_pb2.CancelOrderRequest(request_id=new_id(), order_id=order_id, reason="changed my mind")
        return (await self.send(self.wire.orders.CancelOrder, request)).message.order

    async def refunds(self, order_id: str) -> list[order_pb2.Refund]:
        """The refunds of an order."""
        request = order_service_pb2.ListRefundsRequest(order_id=order_id)
        return list((await self.send(self.wire.orders.ListRefunds, request)).message.refunds)

    async def order(self, order_id: str) -> order_pb2.Order:
        """Look at an order."""
        request = order_service_pb2.GetOrderRequest(order_id=order_id)
        return (await self.send(self.wire.orders.GetOrder, request)).message.order

    async def orders(self) -> list[order_pb2.OrderSummary]:
        """The newest hundred orders."""
        request = order_service_pb2.ListOrdersRequest(page_size=_PAGE_SIZE)
        return list((await self.send(self.wire.orders.ListOrders, request)).message.orders)


async def sign_up(wire: Wire, name: str) -> Account:
    """Make an account with an address that nobody had before."""
    email = f"{name.lower().replace(' ', '.')}.{secrets.token_hex(4)}@example.com"
    password = secrets.token_urlsafe(18)
    request = identity_service_pb2.SignUpRequest(email=email, password=password, display_name=name)
    answer = (await send(wire.identity.SignUp, request)).message
    return Account(wire, name, email, password, answer.tokens.access_token)


async def log_in(wire: Wire, email: str, password: str) -> Account:
    """Sign in to an account that exists."""
    request = identity_service_pb2.LogInRequest(email=email, password=password)
    answer = (await send(wire.identity.LogIn, request)).message
    return Account(wire, answer.user.display_name, email, password, answer.tokens.access_token)


def home_of(account: Account) -> address_pb2.Address:
    """Where the account lives: a flat of its own, because checkouts for one door are limited across customers."""
    flat = 1 + crc32(account.email.encode()) % _FLATS
    return address_pb2.Address(
        name=account.name,
        phone="+919000090000",
        line1=f"Flat {flat}, Gulmohar Heights, 3rd Cross, Indiranagar",
        city="Bengaluru",
        state_code="KA",
        pin_code="560038",
    )


def new_id() -> str:
    """A request id that nobody used before."""
    return str(uuid.uuid4())
