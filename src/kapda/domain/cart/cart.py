"""A cart: one line a variant, each at the price its owner was shown.

The price at the door is the live one. A line remembers the price it was made at, and `changes` says what has moved
since: the customer consents to the difference by checking out with the new total.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique

from kapda.domain.shared import money
from kapda.domain.shared.ids import CartId, DesignerId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money

# A cart is priced, locked and sold as a whole; fifty lines keep that one short transaction.
MAX_LINES = 50
# A cart is kept this long after its last change: long enough for a customer to come back next payday, shorter for a guest
# whose token lives in one browser. After that it reads as empty, and is deleted.
LIFETIME = timedelta(days=30)
GUEST_LIFETIME = timedelta(days=7)


def expiry(touched_at: datetime, lifetime: timedelta) -> datetime:
    """When a cart that is touched now expires: a lifetime later, at the full hour after that.

    So a cart that is filled piece by piece keeps its expiry, and the index of expiries need not change with each piece.
    """
    exact = touched_at + lifetime
    hour = exact.replace(minute=0, second=0, microsecond=0)
    return hour if hour == exact else hour + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What a sale of the variant would freeze besides its price."""

    hsn_code: str
    designer_gstin: str
    commission_basis_points: int


@dataclass(frozen=True, slots=True)
class CartLine:
    """One variant in the cart, beside what is true of it now.

    `on_sale` is whether its product is published and the variant active; `available` is what stock could still hold.
    """

    variant_id: VariantId
    product_id: ProductId
    designer_id: DesignerId
    sku: str
    title: str
    options: Mapping[str, str]
    quantity: int
    price_when_added: Money
    unit_price: Money
    available: int
    on_sale: bool
    max_quantity: int
    terms: SaleTerms

    @property
    def line_total(self) -> Money:
        """At the live price."""
        return self.unit_price * self.quantity

    @property
    def purchasable(self) -> bool:
        """Whether a checkout could take this line as it stands."""
        return self.on_sale and self.quantity <= min(self.available, self.max_quantity)


@unique
class ChangeKind(Enum):
    """How a line differs from what the customer put into the cart."""

    PRICE_RAISED = "price_raised"
    PRICE_DROPPED = "price_dropped"
    INSUFFICIENT_STOCK = "insufficient_stock"
    UNAVAILABLE = "unavailable"
    QUANTITY_LIMIT = "quantity_limit"


# Changes that stand in the way of a checkout; a price is a matter of consent instead.
BLOCKING = frozenset({ChangeKind.INSUFFICIENT_STOCK, ChangeKind.UNAVAILABLE, ChangeKind.QUANTITY_LIMIT})


@dataclass(frozen=True, slots=True)
class CartChange:
    """One difference of one line, with both sides of it."""

    kind: ChangeKind
    variant_id: VariantId
    price_before: Money
    price_now: Money
    quantity: int
    quantity_possible: int


def changes_of(line: CartLine) -> tuple[CartChange, ...]:
    """Everything that differs, the obstacle before the price; a variant off sale has no other news worth telling."""

    def change(kind: ChangeKind, possible: int) -> CartChange:
        return CartChange(
            kind, line.variant_id, line.price_when_added, line.unit_price, line.quantity, min(possible, line.quantity)
        )

    if not line.on_sale:
        return (change(ChangeKind.UNAVAILABLE, 0),)
    found = []
    if line.quantity > line.max_quantity:
        found.append(change(ChangeKind.QUANTITY_LIMIT, line.max_quantity))
    if line.quantity > line.available:
        found.append(change(ChangeKind.INSUFFICIENT_STOCK, line.available))
    if line.price_when_added < line.unit_price:
        found.append(change(ChangeKind.PRICE_RAISED, line.quantity))
    if line.unit_price < line.price_when_added:
        found.append(change(ChangeKind.PRICE_DROPPED, line.quantity))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cart:
    """Lines in the order they were added. `customer_id` is None for a guest's. `version` grows by one with every change."""

    id: CartId
    customer_id: UserId | None
    lines: tuple[CartLine, ...]
    version: int
    updated_at: datetime
    expires_at: datetime

    @property
    def total(self) -> Money:
        """What the purchasable lines cost now."""
        return money.total(line.line_total for line in self.lines if line.purchasable)

    @property
    def item_count(self) -> int:
        """Pieces, not lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def etag(self) -> str:
        """Changes with every change of the cart by its owner."""
        return f"v{self.version}"

    def changes(self) -> tuple[CartChange, ...]:
        """What has moved since the lines were made, in line order."""
        return tuple(change for line in self.lines for change in changes_of(line))
