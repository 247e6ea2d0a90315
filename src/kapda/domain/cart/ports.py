"""What carts need from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.shared.ids import CartId, VariantId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey, RequestLog
from kapda.domain.shared.unit_of_work import UnitOfWork

T = TypeVar("T")


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
    """Carts by owner. The methods that change lines expect the cart to be locked before, by `claim_and_touch` or `lock`,
    and give the cart as it became.

    A cart at or after its `expires_at` is not there, whether or not it has been deleted yet.

    What the cart's own live checkout holds counts as available to the cart: a customer is not short of pieces that are
    held for nobody else.
    """

    async def get(self, owner: CartOwner, at: datetime) -> Cart | None:
        """The cart as it is, its lines beside the live price, stock and state of their variants."""
        ...

    async def lock(self, owner: CartOwner, at: datetime) -> Cart | None:
        """The same, with the cart locked until the end of the transaction; its lines cannot change meanwhile."""
        ...

    async def claim_and_touch(
        self,
        key: RequestKey,
        answer_type: type[T],
        owner: CartOwner,
        new_id: CartId,
        *,
        at: datetime,
        expires_at: datetime,
        pieces: tuple[VariantId, int] | None = None,
    ) -> Cart | CartId | EarlierRequest[T] | None:
        """Claim the request as RequestLog.claim does; if it is the first, lock the owner's cart for a change, and move its
        version and its expiry on. One step, because nearly every request is the first.

        The cart's id; where `pieces` of a variant are given and could be added in the same step, the cart as it became.
        Otherwise `add_line` still has to, and knows whether it can: a cart that somebody else was changing is only touched.

        A customer without a cart gets an empty one: as `new_id` where there is no row, else the expired one without its
        lines. A guest without one gets none: None. Where there is an earlier request, no cart is touched.
        """
        ...

    async def add_guest(self, cart_id: CartId, token_digest: bytes, at: datetime, expires_at: datetime) -> None:
        """Make an empty guest cart that the token with that digest opens."""
        ...

    async def find_guest(self, token_digest: bytes, at: datetime) -> CartId | None:
        """The guest cart that the token with that digest opens."""
        ...

    async def absorb(
        self, cart_id: CartId, guest_cart_id: CartId, quantities: Sequence[tuple[VariantId, int]], at: datetime
    ) -> None:
        """Give the cart those quantities of lines of the guest cart, then delete the guest cart. Both are locked.

        A line that the cart has keeps its price and place; one that it lacks brings the guest's.
        """
        ...

    async def delete_expired(self, at: datetime, limit: int) -> int:
        """Delete up to `limit` carts that have expired, longest expired first; how many.

        Left alone: a cart with a live checkout, and one that somebody has locked.
        """
        ...

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        """Add to the variant's line, or make it at the live price; None, and nothing done, where the sum breaks a rule.

        The rules are decided by the same statement: on sale, within stock, within the product's limit, within MAX_LINES.
        """
        ...

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        """Give an existing line another quantity under the same rules; None, and nothing done, where one is broken."""
        ...

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        """Why a change was not possible."""
        ...

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> Cart | None:
        """Take the line out; None where there is none."""
        ...

    async def clear(self, cart_id: CartId) -> Cart | None:
        """Take every line out; None where there is no such cart."""
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
