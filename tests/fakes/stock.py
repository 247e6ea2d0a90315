"""Stock in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, MovementKind, Shortage, StockLevel, StockMovement
from kapda.domain.shared.ids import HoldId, UserId, VariantId
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.tables import HoldRow, Tables


class InMemoryStock:
    """Stock."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

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
            self._tables.holds[hold_id, line.variant_id] = HoldRow(line.quantity, "held")
            hold = self._by_checkout(line.variant_id, MovementKind.HOLD, "checkout started", hold_id, at)
            self._move(replace(hold, held_delta=line.quantity))
        return ()

    async def release(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        held = self._end(hold_id, "released")
        for variant_id, quantity in held:
            release = self._by_checkout(variant_id, MovementKind.RELEASE, reason, hold_id, at)
            self._move(replace(release, held_delta=-quantity))
        return len(held)

    async def sell(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        held = self._end(hold_id, "sold")
        for variant_id, quantity in held:
            sale = self._by_checkout(variant_id, MovementKind.SELL, reason, hold_id, at)
            self._move(replace(sale, on_hand_delta=-quantity, held_delta=-quantity))
        return len(held)

    async def receive(self, edit: StockEdit, quantity: int) -> StockLevel | None:
        if await self.get(edit.variant_id, edit.owner) is None:
            return None
        return self._edit(edit, MovementKind.RECEIVE, quantity)

    async def adjust(self, edit: StockEdit, delta: int, expected_version: int | None) -> StockLevel | None:
        level = await self.get(edit.variant_id, edit.owner)
        if level is None or level.on_hand + delta < level.held:
            return None
        if expected_version is not None and expected_version != level.version:
            return None
        return self._edit(edit, MovementKind.ADJUST, delta)

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

    def _edit(self, edit: StockEdit, kind: MovementKind, delta: int) -> StockLevel:
        return self._move(
            StockMovement(0, edit.variant_id, kind, delta, 0, edit.reason, str(edit.actor), None, edit.at)
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
        for variant_id, quantity in held:
            self._tables.holds[hold_id, variant_id] = HoldRow(quantity, state)
        return held

    def _move(self, movement: StockMovement) -> StockLevel:
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
        return after
