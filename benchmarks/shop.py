"""Sets the scene over the wire: accounts, full shelves, and what the auditor says in the end."""

import asyncio
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from benchmarks.job import Account
from kapda.api.cart.v1 import cart_service_pb2
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.catalog.v1 import catalog_service_pb2, product_pb2
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.identity.v1 import identity_service_pb2
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.api.ops.v1 import ops_service_pb2, promise_pb2
from kapda.api.ops.v1.ops_service_pb2_grpc import OpsServiceStub

ADMIN_EMAIL: Final = "admin@kapda.example"
_DEADLINE_SECONDS: Final = 60.0
_PRODUCTS: Final = 100
_LINES_OF_A_DELIVERY: Final = 500
# More than a run can sell of one variant.
_DELIVERED: Final = 20_000
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Shelves:
    """Variants to buy: many that are in plenty, and one of them for everybody."""

    many: tuple[str, ...]
    hot: str
    scarce: tuple[str, ...]
    products: tuple[str, ...]


class Shop:
    """The shop as its admin and its customers reach it. Raises grpc.aio.AioRpcError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._identity = IdentityServiceStub(channel)
        self._catalog = CatalogServiceStub(channel)
        self._inventory = InventoryServiceStub(channel)
        self._cart = CartServiceStub(channel)
        self._ops = OpsServiceStub(channel)
        self._admin: tuple[tuple[str, str], ...] = ()

    async def enter_as_admin(self, password: str) -> None:
        """Log in; the token lasts for some minutes, so do it before each use."""
        request = identity_service_pb2.LogInRequest(email=ADMIN_EMAIL, password=password)
        answer = await self._identity.LogIn(request, timeout=_DEADLINE_SECONDS)
        self._admin = _signed_in(answer.tokens.access_token)

    async def sign_up(self, count: int) -> list[Account]:
        """So many new customers."""
        gate = asyncio.Semaphore(_AT_ONCE)
        return await asyncio.gather(*(self._newcomer(gate) for _ in range(count)))

    async def fill_shelves(self, scarce: int) -> Shelves:
        """Choose variants and have plenty of them delivered, all but `scarce` ones."""
        products = await self._products()
        found = [variant.id for product in products for variant in product.variants]
        rest, few = tuple(found[scarce:]), tuple(found[:scarce])
        for start in range(0, len(rest), _LINES_OF_A_DELIVERY):
            lines = [
                inventory_service_pb2.DeliveryLine(variant_id=variant_id, quantity=_DELIVERED)
                for variant_id in rest[start : start + _LINES_OF_A_DELIVERY]
            ]
            request = inventory_service_pb2.BatchReceiveStockRequest(
                request_id=str(uuid.uuid4()), lines=lines, reason="for the bench"
            )
            await self._inventory.BatchReceiveStock(request, metadata=self._admin, timeout=_DEADLINE_SECONDS)
        return Shelves(rest, rest[0], few, tuple(product.id for product in products))

    async def leave_pieces(self, variant_id: str, pieces: int) -> None:
        """Set the variant's count; nobody holds any of it."""
        wanted = inventory_service_pb2.GetStockRequest(variant_id=variant_id)
        stock = (await self._inventory.GetStock(wanted, metadata=self._admin, timeout=_DEADLINE_SECONDS)).stock
        request = inventory_service_pb2.SetStockRequest(
            request_id=str(uuid.uuid4()),
            variant_id=variant_id,
            on_hand=pieces,
            etag=stock.etag,
            reason="counted for the bench",
        )
        await self._inventory.SetStock(request, metadata=self._admin, timeout=_DEADLINE_SECONDS)

    async def empty_carts(self, accounts: Sequence[Account]) -> None:
        """Take out what a scenario left in the carts."""
        for account in accounts:
            request = cart_service_pb2.ClearCartRequest(request_id=str(uuid.uuid4()))
            await self._cart.ClearCart(request, metadata=_signed_in(account.token), timeout=_DEADLINE_SECONDS)

    async def broken_promises(self) -> list[str]:
        """What the auditor holds against the shop."""
        request = ops_service_pb2.CheckPromisesRequest()
        answer = await self._ops.CheckPromises(request, metadata=self._admin, timeout=_DEADLINE_SECONDS)
        return [
            f"{promise.number}. {promise.title}: {promise.evidence}"
            for promise in answer.promises
            if promise.verdict != promise_pb2.PromiseResult.VERDICT_HOLDS
        ]

    async def _newcomer(self, gate: asyncio.Semaphore) -> Account:
        email, password = f"shopper.{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(18)
        request = identity_service_pb2.SignUpRequest(email=email, password=password, display_name="Meera Nair")
        async with gate:
            answer = await self._identity.SignUp(request, timeout=_DEADLINE_SECONDS)
        return Account(email, password, answer.tokens.access_token)

    async def _products(self) -> list[product_pb2.Product]:
        request = catalog_service_pb2.ListProductsRequest(page_size=_PRODUCTS)
        found = []
        for product in (await self._catalog.ListProducts(request, timeout=_DEADLINE_SECONDS)).products:
            wanted = catalog_service_pb2.GetProductRequest(product_id=product.id)
            answer = await self._catalog.GetProduct(wanted, timeout=_DEADLINE_SECONDS)
            found.append(answer.product)
        return found


def _signed_in(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
