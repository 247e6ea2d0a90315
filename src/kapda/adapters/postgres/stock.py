"""Stock in PostgreSQL. The statements, with everything that is decided by them, are in stock_statements.py."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause

from kapda.adapters.postgres import stock_statements as sql
from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.writes import Write
from kapda.domain.inventory.availability import Availability, HolderState, ListingState, LiveHold
from kapda.domain.inventory.delivery import Arrival, DeliveryLine
from kapda.domain.inventory.low_stock import LowStock, stock_low
from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, MovementKind, Shortage, StockLevel, StockMovement
from kapda.domain.shared.events import Outbox
from kapda.domain.shared.ids import DesignerId, HoldId, ProductId, UserId, VariantId
from kapda.domain.shared.pages import Page, PageRequest

_LIVE = {state.value: state for state in HolderState if state is not HolderState.ENDED}


class PostgresStock:
    """See the port. One object a transaction: it remembers what rose in it."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        # Variants that were low when the transaction began and were given pieces back: a checkout that takes another
        # one's place must not tell anew what everybody knows.
        self._rose: set[VariantId] = set()

    async def get(self, variant_id: VariantId, owner: UserId | None) -> StockLevel | None:
        """See the port."""
        row = (await self._connection.execute(sql.GET, {"variant_id": variant_id, "owner": owner})).one_or_none()
        return _level(row) if row else None

    async def lock(self, variant_ids: Sequence[VariantId]) -> None:
        """See the port."""
        await self._connection.execute(sql.LOCK, {"variant_ids": list(set(variant_ids))})

    async def hold(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime) -> tuple[Shortage, ...]:
        """See the port."""
        values = {
            "hold_id": hold_id,
            "variant_ids": [line.variant_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "at": at,
        }
        rows = (await self._connection.ask(sql.HOLD, values)).all()
        if rows[0].held == len(lines):
            await self._tell((VariantId(row.variant_id) for row in rows if row.becomes_low), at)
            return ()
        shortages = tuple(
            Shortage(VariantId(row.variant_id), row.quantity, row.available)
            for row in rows
            if row.available < row.quantity
        )
        if not shortages:
            raise RuntimeError(f"hold {hold_id} is held or sold already")
        return shortages

    async def release(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        """See the port."""
        return await self._end(sql.RELEASE, hold_id, at, reason)

    async def sell(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        """See the port."""
        return await self._end(sql.SELL, hold_id, at, reason)

    async def take_back(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime, reason: str) -> None:
        """See the port."""
        values = {
            "hold_id": hold_id,
            "variant_ids": [line.variant_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "at": at,
            "reason": reason,
        }
        await self._connection.execute(sql.TAKE_BACK, values)

    async def receive(self, variant_id: VariantId, edit: StockEdit, quantity: int) -> StockLevel | None:
        """See the port."""
        return await self._change(sql.RECEIVE, variant_id, edit, delta=quantity)

    async def receive_all(self, edit: StockEdit, lines: Sequence[DeliveryLine]) -> tuple[Arrival, ...]:
        """See the port."""
        values = _by_hand(edit) | {
            "variant_ids": [line.variant_id for line in lines],
            "skus": [line.sku for line in lines],
            "quantities": [line.quantity for line in lines],
        }
        rows = (await self._connection.execute(sql.RECEIVE_ALL, values)).all()
        # Pieces that arrive make nothing low.
        self._rose.update(VariantId(row.variant_id) for row in rows if row.was_low and not _level(row).low)
        return tuple(
            Arrival(
                VariantId(row.variant_id) if row.variant_id else None, _level(row) if row.on_hand is not None else None
            )
            for row in rows
        )

    async def adjust(
        self, variant_id: VariantId, edit: StockEdit, delta: int, expected_version: int | None
    ) -> StockLevel | None:
        """See the port."""
        return await self._change(sql.ADJUST, variant_id, edit, delta=delta, expected_version=expected_version)

    async def set_on_hand(
        self, variant_id: VariantId, edit: StockEdit, on_hand: int, expected_version: int
    ) -> StockLevel | None:
        """See the port."""
        return await self._change(sql.SET_ON_HAND, variant_id, edit, on_hand=on_hand, expected_version=expected_version)

    async def set_low_stock_threshold(
        self, variant_id: VariantId, owner: UserId | None, threshold: int, at: datetime
    ) -> StockLevel | None:
        """See the port."""
        values = {"variant_id": variant_id, "owner": owner, "threshold": threshold}
        return await self._told(sql.SET_THRESHOLD, values, at)

    async def explain(self, variant_id: VariantId, owner: UserId | None) -> Availability | None:
        """See the port."""
        rows = (await self._connection.execute(sql.EXPLAIN, {"variant_id": variant_id, "owner": owner})).all()
        return _availability(rows) if rows else None

    async def movements(
        self, variant_id: VariantId, owner: UserId | None, page: PageRequest
    ) -> Page[StockMovement] | None:
        """See the port."""
        if await self.get(variant_id, owner) is None:
            return None
        values = {
            "variant_id": variant_id,
            "before": int(page.cursor[0]) if page.cursor else None,
            "limit": page.size + 1,
        }
        rows = await self._connection.execute(sql.MOVEMENTS, values)
        return Page.cut([_movement(row) for row in rows], page, lambda movement: (str(movement.id),))

    async def _end(self, write: Write, hold_id: HoldId, at: datetime, reason: str) -> int:
        values = {"hold_id": hold_id, "at": at, "reason": reason}
        row = (await self._connection.ask(write, values)).one()
        self._rose.update(VariantId(variant_id) for variant_id in row.rose or ())
        return int(row.ended)

    async def _change(
        self, statement: TextClause, variant_id: VariantId, edit: StockEdit, **values: int | None
    ) -> StockLevel | None:
        return await self._told(statement, _by_hand(edit) | {"variant_id": variant_id} | values, edit.at)

    async def _told(self, statement: TextClause, values: dict[str, Any], at: datetime) -> StockLevel | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        if row is None:
            return None
        level = _level(row)
        if row.was_low and not level.low:
            self._rose.add(level.variant_id)
        elif level.low and not row.was_low:
            await self._tell([level.variant_id], at)
        return level

    async def _tell(self, became_low: Iterable[VariantId], at: datetime) -> None:
        """Record `stock.low` of each, in variant order like every lock here: an outbox head is a lock too."""
        news = set(became_low) - self._rose
        if not news:
            return
        for row in (await self._connection.execute(sql.LOW, {"variant_ids": list(news)})).all():
            low = LowStock(_level(row), row.sku, ProductId(row.product_id), DesignerId(row.designer_id))
            await self._outbox.add(stock_low(low, at))


def _by_hand(edit: StockEdit) -> dict[str, Any]:
    return {"at": edit.at, "reason": edit.reason, "actor": str(edit.actor), "owner": edit.owner}


def _level(row: Row) -> StockLevel:
    return StockLevel(
        VariantId(row.variant_id), row.on_hand, row.held, row.version, row.updated_at, row.low_stock_threshold
    )


def _movement(row: Row) -> StockMovement:
    return StockMovement(
        id=row.id,
        variant_id=VariantId(row.variant_id),
        kind=MovementKind(row.kind),
        on_hand_delta=row.on_hand_delta,
        held_delta=row.held_delta,
        reason=row.reason,
        actor=row.actor,
        hold_id=HoldId(row.hold_id) if row.hold_id else None,
        created_at=row.created_at,
    )


def _availability(rows: Sequence[Row]) -> Availability:
    first = rows[0]
    holds = tuple(_hold(row) for row in rows if row.hold_id is not None)
    return Availability(
        level=_level(first),
        sku=first.sku,
        listing=ListingState(first.listing),
        active=first.active,
        holds=holds,
        more_holds=first.hold_count - len(holds),
    )


def _hold(row: Row) -> LiveHold:
    state = _LIVE.get(row.checkout_state, HolderState.ENDED)
    return LiveHold(HoldId(row.hold_id), row.quantity, state, row.held_since, row.hold_until)
