"""Which line a method's calls stand in, by the pool of connections that they wait for longest."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from kapda.entrypoints.grpc.admission import TARGET_SECONDS, AtWork, Lane

# Who buys stands in two lines for connections, that of everybody's reads and that of the stock: so both are through within
# a second, and a hundred shoppers are not turned away by a machine that can serve them in the time they allow.
BUYING_SECONDS: Final = 0.7
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

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        """`most` is the most calls that any of them lets in."""
        at_work = AtWork()
        self.buying = Lane("buying", most, BUYING_SECONDS, now, at_work)
        self.browsing = Lane("browsing", most, TARGET_SECONDS, now, at_work)
        self.general = Lane("general", most, TARGET_SECONDS, now, at_work)

    def call_waited(self, seconds: float) -> None:
        """A call stood so long before it was begun. It is the same line again each time that a call goes on, so it counts
        twice."""
        for lane in (self.buying, self.browsing, self.general):
            lane.waited_elsewhere("call", 2 * seconds)

    def connection_waited(self, seconds: float) -> None:
        """Somebody stood so long for one of the connections that take no stock."""
        self.buying.waited_elsewhere("connection", seconds)
        self.general.waited(seconds)

    def stock_waited(self, seconds: float) -> None:
        """Somebody stood so long for a connection that takes stock."""
        self.buying.waited(seconds)

    def catalog_waited(self, seconds: float) -> None:
        """Somebody stood so long for one of the catalogue's connections."""
        self.browsing.waited(seconds)

    def of(self, method: str) -> tuple[Lane, float]:
        """The lane of `/package.Service/Method`, and the share of it that the method may fill."""
        share = _TAKES_STOCK.get(method)
        if share is not None:
            return self.buying, share
        return (self.browsing if method.startswith(_CATALOG) else self.general), 1.0
