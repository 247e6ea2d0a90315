"""What carts need from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kapda.domain.cart.cart import Cart
from kapda.domain.shared.ids import CartId, UserId, VariantId
from kapda.domain.shared.request_log import RequestLog
from kapda.domain.shared.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What decides whether a line may be made or changed, read only to explain a refusal."""

    variant_exists: bool
    on_sale: bool
    available: int
    max_quantity: int
    quantity_in_cart: int
    line_count: int


class Carts(Protocol):
    """Carts by customer. The methods that change lines expect the cart to be locked by `touch` or `lock` before.

    What the cart's own live checkout holds counts as available to the cart: a customer is not short of pieces that are
    held for nobody else.
    """

    async def get(self, customer_id: UserId) -> Cart | None:
        """The cart as it is, its lines beside the live price, stock and state of their variants."""
        ...

    async def lock(self, customer_id: UserId) -> Cart | None:
        """The same, with the cart locked until the end of the transaction; its lines cannot change meanwhile."""
        ...

    async def touch(self, customer_id: UserId, new_id: CartId, at: datetime, expires_at: datetime) -> CartId:
        """Lock the customer's cart for a change, making it as `new_id` where there is none, and move its version on."""
        ...

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """Add to the variant's line, or make it at the live price; False, and nothing done, where the sum breaks a rule.

        The rules are decided by the same statement: on sale, within stock, within the product's limit, within MAX_LINES.
        """
        ...

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """Give an existing line another quantity under the same rules; False, and nothing done, where one is broken."""
        ...

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        """Why a change was not possible."""
        ...

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> bool:
        """Take the line out; False where there is none."""
        ...

    async def clear(self, cart_id: CartId) -> None:
        """Take every line out."""
        ...

    async def lock_id(self, cart_id: CartId) -> None:
        """Lock the cart by its id, where it still exists."""
        ...

    async def take_bought(self, cart_id: CartId, bought: Sequence[tuple[VariantId, int]], at: datetime) -> None:
        """Lower each line by the quantity bought and drop it at zero; what was added meanwhile stays."""
        ...


class CartUnitOfWork(UnitOfWork, Protocol):
    """What a change of a cart needs."""

    @property
    def requests(self) -> RequestLog: ...

    @property
    def carts(self) -> Carts: ...
