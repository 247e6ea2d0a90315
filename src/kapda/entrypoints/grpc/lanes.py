"""Which line a method's calls stand in, by the pool of connections that they wait for longest."""

from collections.abc import Mapping
from typing import Final

from kapda.entrypoints.grpc.admission import Lane

_CATALOG: Final = "/kapda.api.catalog.v1.CatalogService/"
# Every method that takes stock or gives it back, with the share of the lane's places that it may fill. New promises give way
# to the keeping of old ones: whoever has paid is let in where whoever only wants to is not.
_TAKES_STOCK: Final[Mapping[str, float]] = {
    "/kapda.api.checkout.v1.CheckoutService/StartCheckout": 0.75,
    "/kapda.api.checkout.v1.CheckoutService/AbandonCheckout": 1.0,
    "/kapda.api.orders.v1.OrderService/PlaceOrder": 1.0,
    "/kapda.api.orders.v1.OrderService/CancelOrder": 1.0,
    "/kapda.api.orders.v1.OrderService/RefundOrder": 1.0,
    "/kapda.api.ops.v1.OpsService/ResolveCase": 1.0,
    "/kapda.api.inventory.v1.InventoryService/ReceiveStock": 0.75,
    "/kapda.api.inventory.v1.InventoryService/BatchReceiveStock": 0.75,
    "/kapda.api.inventory.v1.InventoryService/SetStock": 0.75,
    "/kapda.api.inventory.v1.InventoryService/SetLowStockThreshold": 0.75,
    "/kapda.api.inventory.v1.InventoryService/AdjustStock": 0.75,
}


class Lanes:
    """One lane for each pool: `buying` waits for connections that take stock, `browsing` for the catalogue's, `general`,
    everything else, for the rest."""

    def __init__(self, most: int) -> None:
        """`most` is the most calls that any of them lets in."""
        self.buying = Lane("buying", most)
        self.browsing = Lane("browsing", most)
        self.general = Lane("general", most)

    def call_waited(self, seconds: float) -> None:
        """A call stood so long before it was begun. All have that line before their own, so half of a wait is for it."""
        for lane in (self.buying, self.browsing, self.general):
            lane.waited(2 * seconds)

    def of(self, method: str) -> tuple[Lane, float]:
        """The lane of `/package.Service/Method`, and the share of it that the method may fill."""
        share = _TAKES_STOCK.get(method)
        if share is not None:
            return self.buying, share
        return (self.browsing if method.startswith(_CATALOG) else self.general), 1.0
