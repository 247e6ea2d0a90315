"""The event that a variant has become low, for whoever orders new pieces."""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import DesignerId, ProductId


@dataclass(frozen=True, slots=True)
class LowStock:
    """A variant that a change has made low, and whose it is."""

    level: StockLevel
    sku: str
    product_id: ProductId
    designer_id: DesignerId


def stock_low(low: LowStock, at: datetime) -> DomainEvent:
    """`stock.low` of the variant, with the counters as the change left them."""
    level = low.level
    return DomainEvent(
        "stock",
        level.variant_id,
        "stock.low",
        at,
        {
            "variant_id": str(level.variant_id),
            "sku": low.sku,
            "product_id": str(low.product_id),
            "designer_id": str(low.designer_id),
            "on_hand": level.on_hand,
            "held": level.held,
            "available": level.available,
            "low_stock_threshold": level.low_stock_threshold,
        },
    )
