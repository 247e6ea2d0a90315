"""What inventory needs from outside: counters that the database guards, and who may touch them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kapda.domain.inventory.availability import Availability
from kapda.domain.inventory.delivery import Arrival, DeliveryLine
from kapda.domain.inventory.stock import HoldLine, Shortage, StockLevel, StockMovement
from kapda.domain.shared.ids import HoldId, UserId, VariantId
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_log import RequestLog
from kapda.domain.shared.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class StockEdit:
    """A change of stock by hand: when, why, by whom, and whose house the variants must belong to (None: any)."""

    at: datetime
    reason: str
    actor: UserId
    owner: UserId | None


class Stock(Protocol):
    """Counters, holds and movements. Every method that changes something writes its movements in the same statement.

    Rows are locked in variant order, so that two callers with the same variants never wait for each other in a ring.

    A change that makes a variant low records `stock.low` (see low_stock.py) in the outbox of its transaction: once for
    each time that a transaction found it not low and makes it low. No caller has to think of it, and a change that makes
    nothing low costs nothing for it. The event comes after the change, so a variant's row is locked before its outbox
    head is, and a caller that touches stock last keeps the order of locks.

    `owner` is the member of a designer's house who asks; None is somebody who may see every house. What the owner may
    not see does not exist.
    """

    async def get(self, variant_id: VariantId, owner: UserId | None) -> StockLevel | None:
        """The present counters."""
        ...

    async def lock(self, variant_ids: Sequence[VariantId]) -> None:
        """Lock the rows in order, for a transaction that changes them by more than one of the methods below."""
        ...

    async def hold(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime) -> tuple[Shortage, ...]:
        """Hold every line or none: the shortages, empty when all is held. One line a variant.

        A hold that was released may be taken again under its id.
        """
        ...

    async def release(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        """Give back what the hold still holds; the number of lines given back, 0 when it holds nothing any more."""
        ...

    async def sell(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        """Turn what the hold still holds into sales; the number of lines sold, 0 when it holds nothing any more."""
        ...

    async def take_back(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime, reason: str) -> None:
        """Put sold pieces of a hold back on the shelf, as returns. One line a variant; the caller keeps the count."""
        ...

    async def receive(self, variant_id: VariantId, edit: StockEdit, quantity: int) -> StockLevel | None:
        """Add pieces; the new counters, or None when there is no such variant for this owner."""
        ...

    async def receive_all(self, edit: StockEdit, lines: Sequence[DeliveryLine]) -> tuple[Arrival, ...]:
        """Add the pieces of every line, or of none when a line names no variant of this owner or two name the same one.
        One arrival a line, in their order."""
        ...

    async def adjust(
        self, variant_id: VariantId, edit: StockEdit, delta: int, expected_version: int | None
    ) -> StockLevel | None:
        """Add or take pieces, never below what is held; None when nothing changed: no such variant for this owner,
        another version than expected, or too few pieces."""
        ...

    async def set_on_hand(
        self, variant_id: VariantId, edit: StockEdit, on_hand: int, expected_version: int
    ) -> StockLevel | None:
        """Make it so many pieces, never fewer than are held, with a movement of the difference; without one, and with the
        counters as they are, where there is no difference. None when refused: no such variant for this owner, another
        version than expected, or too few pieces."""
        ...

    async def set_low_stock_threshold(
        self, variant_id: VariantId, owner: UserId | None, threshold: int, at: datetime
    ) -> StockLevel | None:
        """Say from how many available pieces on the variant is low. The version stays: no counter has changed. None when
        there is no such variant for this owner."""
        ...

    async def explain(self, variant_id: VariantId, owner: UserId | None) -> Availability | None:
        """The counters, the listing and the holds of one moment; None when there is no such variant for this owner."""
        ...

    async def movements(
        self, variant_id: VariantId, owner: UserId | None, page: PageRequest
    ) -> Page[StockMovement] | None:
        """Newest first; None when there is no such variant for this owner. The cursor is (movement id,)."""
        ...


class InventoryUnitOfWork(UnitOfWork, Protocol):
    """What a change of stock by hand needs."""

    @property
    def requests(self) -> RequestLog: ...

    @property
    def stock(self) -> Stock: ...
