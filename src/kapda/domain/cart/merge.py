"""What becomes of two carts when a guest signs in: a pure function of their lines.

Nothing of the customer's own cart is lost or lowered. A variant in both takes the larger quantity, not the sum: the same
person put it in twice. A line that only the guest has comes with the price it was made at; the customer's line keeps its
own. What does not fit is cut and told: pieces over the product's limit, and lines over MAX_LINES, the latest first.

Stock and availability cut nothing. A cart holds no stock, and what is short now is told by `Cart.changes` and may be back
at checkout; pieces thrown away here would not be.
"""

from dataclasses import dataclass
from enum import Enum, unique

from kapda.domain.cart.cart import MAX_LINES, Cart, CartLine
from kapda.domain.shared.ids import VariantId


@unique
class CutReason(Enum):
    """Why a guest's pieces did not come along."""

    QUANTITY_LIMIT = "quantity_limit"
    LINE_LIMIT = "line_limit"


@dataclass(frozen=True, slots=True)
class MergeCut:
    """Pieces of one variant that were left behind: `wanted` is the larger of both carts, `kept` what it came to."""

    reason: CutReason
    variant_id: VariantId
    title: str
    wanted: int
    kept: int


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The quantities that the guest's lines come to in the customer's cart, and what was cut.

    `quantities` names only lines to be written; the customer's other lines stay as they are.
    """

    quantities: tuple[tuple[VariantId, int], ...]
    cuts: tuple[MergeCut, ...]


@dataclass(frozen=True, slots=True)
class MergedCart:
    """The customer's cart with the guest's pieces in it, and every cut."""

    cart: Cart
    cuts: tuple[MergeCut, ...]


def plan_merge(own: Cart, guest: Cart) -> MergePlan:
    """How the guest's lines go into the customer's own cart."""
    mine = {line.variant_id: line.quantity for line in own.lines}
    room = MAX_LINES - len(own.lines)
    quantities: list[tuple[VariantId, int]] = []
    cuts: list[MergeCut] = []
    for line in guest.lines:
        had = mine.get(line.variant_id, 0)
        if had == 0 and room == 0:
            cuts.append(_cut(CutReason.LINE_LIMIT, line, line.quantity, 0))
            continue
        wanted = max(had, line.quantity)
        # A limit lowered since the customer chose takes nothing from what the customer has.
        kept = max(had, min(wanted, line.max_quantity))
        if kept < wanted:
            cuts.append(_cut(CutReason.QUANTITY_LIMIT, line, wanted, kept))
        if had < kept:
            quantities.append((line.variant_id, kept))
        if had == 0:
            room -= 1
    return MergePlan(tuple(quantities), tuple(cuts))


def _cut(reason: CutReason, line: CartLine, wanted: int, kept: int) -> MergeCut:
    return MergeCut(reason, line.variant_id, line.title, wanted, kept)
