"""What a contract suite runs on: one implementation of every repository, and what others would have put there before.

Asha and Binod are customers; Meera is a member of the house Rangrez, whose variants are numbered from 1. Variant number
n is the variant of `samples.checkout_line(n)`.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from kapda.domain.checkout.ports import CheckoutUnitOfWork
from kapda.domain.inventory.availability import ListingState
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.shared.ids import ProductId, UserId, VariantId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.money import Money

MEERA = UserId(UUID(int=0x3EE))


def variant_number(number: int) -> VariantId:
    """The id of a variant."""
    return VariantId(UUID(int=0x1000 + number))


def product_number(number: int) -> ProductId:
    """The id of its product: every variant has one of its own."""
    return ProductId(UUID(int=0x2000 + number))


class EveryRepository(OrderUnitOfWork, CheckoutUnitOfWork, Protocol):
    """What orders need and what checkouts need."""


class Backing(Protocol):
    """One implementation under test."""

    @property
    def already_booked(self) -> type[Exception]:
        """What a second ledger transaction of one reference comes to: a bug of ours, so not a domain error."""
        ...

    def unit_of_work(self) -> EveryRepository:
        """A new transaction with every repository."""
        ...

    async def stock_variant(
        self, number: int = 1, *, pieces: int = 10, price: Money | None = None, max_quantity: int = 10
    ) -> VariantId:
        """A published variant at ₹1,499 with its pieces received."""
        ...

    async def reprice(self, variant_id: VariantId, price: Money) -> None:
        """Another price."""
        ...

    async def take_off_sale(self, variant_id: VariantId) -> None:
        """Not active any more."""
        ...

    async def list_as(self, variant_id: VariantId, listing: ListingState) -> None:
        """The variant's product is in that state."""
        ...

    async def jobs(self) -> Sequence[tuple[Job, UUID]]:
        """What has been woken, in order."""
        ...
