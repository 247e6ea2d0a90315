"""Stock in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kapda.domain.inventory.availability import MAX_HOLDS_SHOWN, Availability, HolderState, LiveHold
from kapda.domain.inventory.delivery import Arrival, DeliveryLine
from kapda.domain.inventory.low_stock import LowStock, stock_low
from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, MovementKind, Shortage, StockLevel, StockMovement
from kapda.domain.shared.events import Outbox
from kapda.domain.shared.ids import CheckoutId, HoldId, UserId, VariantId
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.tables import HoldRow, Tables


class InMemoryStock:
    """Stock. One object a transaction, as the real one is."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox
        self._low_at_first: dict[VariantId, bool] = {}

    async def get(self, variant_id: VariantId, owner: UserId | None) -> StockLevel | None:
        return self._tables.stock.get(variant_id) if self._may_see(variant_id, owner) else None

    async def lock(self, variant_ids: Sequence[VariantId]) -> None:
        """Nobody else is here."""

    async def hold(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime) -> tuple[Shortage, ...]:
        shortages = []
        for line in lines:
            level = self._tables.stock.get(line.variant_id)
            available = level.available if level is not None else 0
            if available < line.quantity:
                shortages.append(Shortage(line.variant_id, line.quantity, available))
        if shortages:
            return tuple(shortages)
        for line in lines:
            earlier = self._tables.holds.get((hold_id, line.variant_id))
            assert earlier is None or earlier.state == "released", "the hold holds this variant, or has sold it"
            self._tables.holds[hold_id, line.variant_id] = HoldRow(line.quantity, "held", at)
            hold = self._by_checkout(line.variant_id, MovementKind.HOLD, "checkout started", hold_id, at)
            await self._move(replace(hold, held_delta=line.quantity))
        return ()

    async def release(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        held = self._end(hold_id, "released")
        for variant_id, quantity in held:
            release = self._by_checkout(variant_id, MovementKind.RELEASE, reason, hold_id, at)
            await self._move(replace(release, held_delta=-quantity))
        return len(held)

    async def sell(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        held = self._end(hold_id, "sold")
        for variant_id, quantity in held:
            sale = self._by_checkout(variant_id, MovementKind.SELL, reason, hold_id, at)
            await self._move(replace(sale, on_hand_delta=-quantity, held_delta=-quantity))
        return len(held)

    async def take_back(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime, reason: str) -> None:
        for line in lines:
            sold = self._by_checkout(line.variant_id, MovementKind.RETURN, reason, hold_id, at)
            await self._move(replace(sold, on_hand_delta=line.quantity, actor="orders"))

    async def receive(self, variant_id: VariantId, edit: StockEdit, quantity: int) -> StockLevel | None:
        if await self.get(variant_id, edit.owner) is None:
            return None
        return await self._edit(variant_id, edit, MovementKind.RECEIVE, quantity)

    async def receive_all(self, edit: StockEdit, lines: Sequence[DeliveryLine]) -> tuple[Arrival, ...]:
        named = [self._named(line, edit.owner) for line in lines]
        known = {variant_id for variant_id in named if variant_id is not None}
        if len(known) < len(lines):
            return tuple(Arrival(variant_id, None) for variant_id in named)
        return tuple(
            [
                Arrival(variant_id, await self.receive(variant_id, edit, line.quantity))
                for variant_id, line in zip(named, lines, strict=True)
                if variant_id is not None
            ]
        )

    async def adjust(
        self, variant_id: VariantId, edit: StockEdit, delta: int, expected_version: int | None
    ) -> StockLevel | None:
        level = await self.get(variant_id, edit.owner)
        if level is None or level.on_hand + delta < level.held:
            return None
        if expected_version is not None and expected_version != level.version:
            return None
        return await self._edit(variant_id, edit, MovementKind.ADJUST, delta)

    async def set_on_hand(
        self, variant_id: VariantId, edit: StockEdit, on_hand: int, expected_version: int
    ) -> StockLevel | None:
        level = await self.get(variant_id, edit.owner)
        if level is None or on_hand < level.held or expected_version != level.version:
            return None
        if on_hand == level.on_hand:
            return level
        return await self._edit(variant_id, edit, MovementKind.ADJUST, on_hand - level.on_hand)

    async def set_low_stock_threshold(
        self, variant_id: VariantId, owner: UserId | None, threshold: int, at: datetime
    ) -> StockLevel | None:
        before = await self.get(variant_id, owner)
        if before is None:
            return None
        after = self._tables.stock[variant_id] = replace(before, low_stock_threshold=threshold)
        await self._tell(before, after, at)
        return after

    async def explain(self, variant_id: VariantId, owner: UserId | None) -> Availability | None:
        level = await self.get(variant_id, owner)
        if level is None:
            return None
        variant = self._tables.variants[variant_id]
        live = [
            self._live_hold(hold_id, row)
            for (hold_id, held_variant), row in self._tables.holds.items()
            if held_variant == variant_id and row.state == "held"
        ]
        live.sort(key=lambda hold: (hold.hold_until is None, hold.hold_until, hold.hold_id))
        shown = tuple(live[:MAX_HOLDS_SHOWN])
        return Availability(level, variant.sku, variant.listing, variant.active, shown, len(live) - len(shown))

    async def movements(
        self, variant_id: VariantId, owner: UserId | None, page: PageRequest
    ) -> Page[StockMovement] | None:
        if await self.get(variant_id, owner) is None:
            return None
        newest_first = [
            movement
            for movement in reversed(self._tables.movements)
            if movement.variant_id == variant_id and (page.cursor is None or movement.id < int(page.cursor[0]))
        ]
        return Page.cut(newest_first, page, lambda movement: (str(movement.id),))

    def _may_see(self, variant_id: VariantId, owner: UserId | None) -> bool:
        variant = self._tables.variants.get(variant_id)
        return owner is None or (variant is not None and (variant.designer_id, owner) in self._tables.members)

    def _named(self, line: DeliveryLine, owner: UserId | None) -> VariantId | None:
        for variant_id, variant in self._tables.variants.items():
            if line.variant_id == variant_id or line.sku == variant.sku:
                return variant_id if variant_id in self._tables.stock and self._may_see(variant_id, owner) else None
        return None

    def _live_hold(self, hold_id: HoldId, row: HoldRow) -> LiveHold:
        holder = self._tables.checkouts.get(CheckoutId(hold_id))
        live = {"opening", "open", "capturing"}
        state = holder.checkout.state.value if holder is not None else ""
        return LiveHold(
            hold_id,
            row.quantity,
            HolderState(state) if state in live else HolderState.ENDED,
            row.held_since,
            None if holder is None else holder.checkout.hold_until,
        )

    async def _edit(self, variant_id: VariantId, edit: StockEdit, kind: MovementKind, delta: int) -> StockLevel:
        return await self._move(
            StockMovement(0, variant_id, kind, delta, 0, edit.reason, str(edit.actor), None, edit.at)
        )

    def _by_checkout(
        self, variant_id: VariantId, kind: MovementKind, reason: str, hold_id: HoldId, at: datetime
    ) -> StockMovement:
        return StockMovement(0, variant_id, kind, 0, 0, reason, "checkout", hold_id, at)

    def _end(self, hold_id: HoldId, state: str) -> list[tuple[VariantId, int]]:
        held = [
            (variant_id, row.quantity)
            for (hold, variant_id), row in self._tables.holds.items()
            if hold == hold_id and row.state == "held"
        ]
        for variant_id, _ in held:
            row = self._tables.holds[hold_id, variant_id]
            self._tables.holds[hold_id, variant_id] = replace(row, state=state)
        return held

    async def _move(self, movement: StockMovement) -> StockLevel:
        before = self._tables.stock[movement.variant_id]
        after = replace(
            before,
            on_hand=before.on_hand + movement.on_hand_delta,
            held=before.held + movement.held_delta,
            version=before.version + 1,
            updated_at=movement.created_at,
        )
        assert 0 <= after.held <= after.on_hand, "stock counters left their range"
        self._tables.stock[movement.variant_id] = after
        self._tables.movements.append(replace(movement, id=len(self._tables.movements) + 1))
        await self._tell(before, after, movement.created_at)
        return after

    async def _tell(self, before: StockLevel, after: StockLevel, at: datetime) -> None:
        was_low = self._low_at_first.setdefault(before.variant_id, before.low)
        if was_low or before.low or not after.low:
            return
        variant = self._tables.variants[after.variant_id]
        low = LowStock(after, variant.sku, variant.product_id, variant.designer_id)
        await self._outbox.add(stock_low(low, at))
