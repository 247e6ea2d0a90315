"""Why a variant can or cannot be bought at this moment: what is on the shelf, who holds it, and whether it is on sale."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.ids import HoldId

# A hot variant has hundreds of holds; nobody reads more of them than this, the rest is counted.
MAX_HOLDS_SHOWN = 100


@unique
class ListingState(Enum):
    """Where the variant's product stands; only a published one is on sale."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@unique
class HolderState(Enum):
    """What the checkout that holds is doing. ENDED is a fault: a checkout that has ended gave its pieces back."""

    OPENING = "opening"
    OPEN = "open"
    CAPTURING = "capturing"
    ENDED = "ended"


@unique
class Obstacle(Enum):
    """One thing that stands between the variant and a new buyer."""

    PRODUCT_NOT_PUBLISHED = "product_not_published"
    VARIANT_INACTIVE = "variant_inactive"
    NONE_ON_HAND = "none_on_hand"
    ALL_HELD = "all_held"


@dataclass(frozen=True, slots=True)
class LiveHold:
    """Pieces that a checkout keeps for itself. `hold_until` is when it gives them back unpaid; not while its payment is
    being captured. None for a checkout that is not there."""

    hold_id: HoldId
    quantity: int
    state: HolderState
    held_since: datetime
    hold_until: datetime | None


@dataclass(frozen=True, slots=True)
class Availability:
    """A variant's stock with everything that decides whether it can be bought.

    `holds` are those that end first; `more_holds` counts the ones beyond MAX_HOLDS_SHOWN.
    """

    level: StockLevel
    sku: str
    listing: ListingState
    active: bool
    holds: tuple[LiveHold, ...]
    more_holds: int

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """All that stands in the way; nothing when the variant can be bought."""
        standing = {
            Obstacle.PRODUCT_NOT_PUBLISHED: self.listing is not ListingState.PUBLISHED,
            Obstacle.VARIANT_INACTIVE: not self.active,
            Obstacle.NONE_ON_HAND: self.level.on_hand == 0,
            Obstacle.ALL_HELD: self.level.on_hand > 0 and self.level.available == 0,
        }
        return tuple(obstacle for obstacle, stands in standing.items() if stands)
