"""Stock of one variant: two counters, and the movements that they are the sums of.

`on_hand` is what stands on the shelf, `held` the part of it that checkouts keep for themselves; what is left is
available. Every change is a movement of one kind:

| kind    | on hand | held | when                                            |
|---------|---------|------|-------------------------------------------------|
| receive | +n      |      | goods arrive                                    |
| hold    |         | +n   | a checkout starts                               |
| release |         | -n   | a checkout ends without an order                |
| sell    | -n      | -n   | the order is placed                             |
| return  | +n      |      | goods come back after a sale                    |
| adjust  | +n/-n   |      | somebody counted; never below what is held      |

A variant is low when no more pieces are available than its threshold. Only a hold, a count or another threshold can
make it low: a sale takes its pieces from the shelf and from what is held alike, and leaves the available ones as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.errors import (
    AbortedError,
    FailedPreconditionError,
    Precondition,
    Reason,
)
from kapda.domain.shared.etag import etag_of
from kapda.domain.shared.ids import HoldId, VariantId

# A counter fits PostgreSQL's integer with room; nobody stocks a million pieces of one variant.
MAX_QUANTITY = 1_000_000
# Where a house has not said otherwise; the column's default is the same.
DEFAULT_LOW_STOCK_THRESHOLD = 5


@unique
class MovementKind(Enum):
    """Why a counter changed; the table above says how."""

    RECEIVE = "receive"
    HOLD = "hold"
    RELEASE = "release"
    SELL = "sell"
    RETURN = "return"
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The counters of one variant at one moment. `version` grows by one with every change of the counters."""

    variant_id: VariantId
    on_hand: int
    held: int
    version: int
    updated_at: datetime
    low_stock_threshold: int = DEFAULT_LOW_STOCK_THRESHOLD

    @property
    def available(self) -> int:
        """Pieces that a new checkout could still hold."""
        return self.on_hand - self.held

    @property
    def low(self) -> bool:
        """Whether it is time to think of new pieces."""
        return self.available <= self.low_stock_threshold

    @property
    def etag(self) -> str:
        """Changes with every change of the counters."""
        return etag_of(self.version)


def etag_mismatch(level: StockLevel) -> AbortedError:
    """The refusal of a change by somebody who saw other counters."""
    return AbortedError(Reason.ETAG_MISMATCH, "the stock has changed since it was read", metadata={"etag": level.etag})


@dataclass(frozen=True, slots=True)
class StockMovement:
    """One row of the ledger. `actor` is a user's id or the name of the part of the system that acted."""

    id: int
    variant_id: VariantId
    kind: MovementKind
    on_hand_delta: int
    held_delta: int
    reason: str
    actor: str
    hold_id: HoldId | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HoldLine:
    """So many pieces of one variant."""

    variant_id: VariantId
    quantity: int

    def __post_init__(self) -> None:
        if not 0 < self.quantity <= MAX_QUANTITY:
            raise ValueError("a hold is for at least one piece and within the counters' range")


@dataclass(frozen=True, slots=True)
class Shortage:
    """A variant with fewer pieces available than asked for."""

    variant_id: VariantId
    requested: int
    available: int


def insufficient_stock(shortages: Sequence[Shortage]) -> FailedPreconditionError:
    """The refusal that names every short variant, the first one in the metadata too."""
    first = shortages[0]
    return FailedPreconditionError(
        Reason.INSUFFICIENT_STOCK,
        f"{first.available} of variant {first.variant_id} available, {first.requested} requested",
        metadata={
            "variant_id": str(first.variant_id),
            "available": str(first.available),
            "requested": str(first.requested),
        },
        preconditions=tuple(
            Precondition(
                Reason.INSUFFICIENT_STOCK.value,
                f"variants/{shortage.variant_id}",
                f"{shortage.available} available, {shortage.requested} requested",
            )
            for shortage in shortages
        ),
    )
