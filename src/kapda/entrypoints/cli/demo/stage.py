"""What the acts of the demo share: the shop, its admin, Razorpay's page, and everybody who ever bought."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kapda.api.catalog.v1 import catalog_service_pb2, product_pb2
from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.inventory.v1 import inventory_service_pb2, stock_pb2
from kapda.entrypoints.cli.account import Account, new_id, sign_up
from kapda.entrypoints.cli.demo.story import Story
from kapda.entrypoints.cli.mailbox import Mailbox, ReceivedMail
from kapda.entrypoints.cli.razorpay_page import RazorpayPage
from kapda.entrypoints.cli.wire import Wire, send

T = TypeVar("T")

PLACED_WITHIN_SECONDS: Final = 15.0
MAILED_WITHIN_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05


@dataclass(slots=True)
class Stage:
    """The shop while the demo runs."""

    story: Story
    wire: Wire
    page: RazorpayPage
    admin: Account
    mailbox: Mailbox
    buyers: list[Account] = field(default_factory=list)

    async def newcomer(self, name: str) -> Account:
        """Somebody signs up."""
        account = await sign_up(self.wire, name)
        self.buyers.append(account)
        return account

    async def find(self, words: str) -> product_pb2.Product:
        """The first product that matches and has something left. Raises LookupError when there is none."""
        request = catalog_service_pb2.SearchProductsRequest(query=words, page_size=10)
        found = (await send(self.wire.catalog.SearchProducts, request)).message.products
        in_stock = [product.id for product in found if product.in_stock]
        if not in_stock:
            raise LookupError(f"nothing in stock matches {words}")
        wanted = catalog_service_pb2.GetProductRequest(product_id=in_stock[0])
        return (await send(self.wire.catalog.GetProduct, wanted)).message.product

    async def stock(self, variant_id: str) -> stock_pb2.Stock:
        """The variant's stock, as the admin sees it."""
        request = inventory_service_pb2.GetStockRequest(variant_id=variant_id)
        return (await self.admin.send(self.wire.inventory.GetStock, request)).message.stock

    async def leave_pieces(self, variant_id: str, pieces: int) -> stock_pb2.Stock:
        """The admin corrects the count, so that exactly so many pieces can be sold."""
        before = await self.stock(variant_id)
        if before.available == pieces:
            return before
        request = inventory_service_pb2.AdjustStockRequest(
            request_id=new_id(),
            variant_id=variant_id,
            delta=pieces - before.available,
            reason="counted for the demo",
            etag=before.etag,
        )
        return (await self.admin.send(self.wire.inventory.AdjustStock, request)).message.stock

    async def check_out(self, buyer: Account, variant: product_pb2.Variant, quantity: int) -> checkout_pb2.Checkout:
        """Into the cart, and checked out."""
        cart = await buyer.add(variant.id, quantity)
        return await buyer.start_checkout(cart.total)

    async def mails_about(self, subject: str) -> list[ReceivedMail]:
        """The mails with that subject, once there are any; none after some seconds."""
        return await _watched(lambda: asyncio.to_thread(self.mailbox.about, subject), bool, MAILED_WITHIN_SECONDS)

    async def until_placed(self, buyer: Account, checkout_id: str) -> checkout_pb2.Checkout:
        """The checkout once it is placed, or as it is after some seconds."""
        return await _watched(
            lambda: buyer.checkout(checkout_id),
            lambda checkout: checkout.state == checkout_pb2.Checkout.STATE_PLACED,
            PLACED_WITHIN_SECONDS,
        )


async def _watched(look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float) -> T:
    """What is seen once it is enough, or after so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        seen = await look()
        if enough(seen) or asyncio.get_running_loop().time() > deadline:
            return seen
        await asyncio.sleep(_POLL_SECONDS)


def roomiest(product: product_pb2.Product) -> product_pb2.Variant:
    """The variant with the most pieces left."""
    return max(product.variants, key=lambda variant: variant.available_quantity)


def describe(variant: product_pb2.Variant) -> str:
    """What a customer calls it."""
    return ", ".join(option.value for option in variant.options)
