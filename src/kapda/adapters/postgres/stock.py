"""Stock in PostgreSQL: each change one statement that locks its rows in order, judges, changes and writes the ledger.

The `locked` parts take the row locks in variant order before anything is changed; an UPDATE alone would lock in
whatever order its join produces, and two buyers of the same pieces would deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, MovementKind, Shortage, StockLevel, StockMovement
from kapda.domain.shared.ids import HoldId, UserId, VariantId
from kapda.domain.shared.pages import Page, PageRequest

_LEVEL = "variant_id, on_hand, held, version, updated_at"
# Members of the variant's house, and those who may see every house (:owner is null).
_OWNED = """
    (CAST(:owner AS uuid) IS NULL OR EXISTS (
        SELECT FROM variants v JOIN products p ON p.id = v.product_id
        JOIN designer_members m ON m.designer_id = p.designer_id
        WHERE v.id = :variant_id AND m.user_id = :owner))
"""
_GET = text(f"SELECT {_LEVEL} FROM stock WHERE variant_id = :variant_id AND {_OWNED}")  # noqa: S608  (constants only)
_LOCK = text("""
    SELECT FROM stock WHERE variant_id = ANY(CAST(:variant_ids AS uuid[])) ORDER BY variant_id FOR NO KEY UPDATE
""")
_HOLD = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS w (variant_id, quantity)
    ), locked AS MATERIALIZED (
        SELECT s.variant_id, s.available, w.quantity FROM stock s JOIN wanted w USING (variant_id)
        ORDER BY s.variant_id FOR NO KEY UPDATE OF s
    ), verdict AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE available >= quantity) = cardinality(CAST(:variant_ids AS uuid[])) AS all_there
        FROM locked
    ), changed AS (
        UPDATE stock s SET held = s.held + l.quantity, version = s.version + 1, updated_at = :at
        FROM locked l WHERE s.variant_id = l.variant_id AND (SELECT all_there FROM verdict)
        RETURNING s.variant_id, l.quantity
    ), holds AS (
        INSERT INTO stock_holds AS h (hold_id, variant_id, quantity, state, created_at)
        SELECT :hold_id, variant_id, quantity, 'held', :at FROM changed
        ON CONFLICT (hold_id, variant_id) DO UPDATE SET state = 'held', quantity = excluded.quantity, ended_at = NULL
        WHERE h.state = 'released'
        RETURNING h.variant_id
    ), moves AS (
        INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
        SELECT variant_id, 'hold', 0, quantity, 'checkout started', 'checkout', :hold_id, :at FROM changed
    )
    SELECT w.variant_id, w.quantity, coalesce(l.available, 0) AS available, (SELECT count(*) FROM holds) AS held
    FROM wanted w LEFT JOIN locked l USING (variant_id)
""")


def _end_hold(state: str, kind: MovementKind, on_hand_sign: int) -> TextClause:
    """Ends what a hold still holds: `on_hand_sign` is -1 where the pieces leave the shelf and 0 where they stay."""
    return text(f"""
        WITH ended AS (
            UPDATE stock_holds SET state = '{state}', ended_at = :at
            WHERE hold_id = :hold_id AND state = 'held' RETURNING variant_id, quantity
        ), locked AS MATERIALIZED (
            SELECT s.variant_id, e.quantity FROM stock s JOIN ended e USING (variant_id)
            ORDER BY s.variant_id FOR NO KEY UPDATE OF s
        ), changed AS (
            UPDATE stock s SET on_hand = s.on_hand + ({on_hand_sign}) * l.quantity, held = s.held - l.quantity,
                version = s.version + 1, updated_at = :at
            FROM locked l WHERE s.variant_id = l.variant_id RETURNING s.variant_id, l.quantity
        ), moves AS (
            INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
            SELECT variant_id, '{kind.value}', ({on_hand_sign}) * quantity, -quantity, :reason, 'checkout', :hold_id, :at
            FROM changed
        )
        SELECT count(*) FROM changed
    """)  # noqa: S608  (constants only)


def _edit(kind: MovementKind, guard: str) -> TextClause:
    """Changes one variant's shelf by :delta where the guard allows."""
    return text(f"""
        WITH changed AS (
            UPDATE stock SET on_hand = on_hand + :delta, version = version + 1, updated_at = :at
            WHERE variant_id = :variant_id AND {guard} AND {_OWNED} RETURNING {_LEVEL}
        ), moves AS (
            INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
            SELECT variant_id, '{kind.value}', :delta, 0, :reason, :actor, :at FROM changed
        )
        SELECT {_LEVEL} FROM changed
    """)  # noqa: S608  (constants only)


_RELEASE = _end_hold("released", MovementKind.RELEASE, 0)
_SELL = _end_hold("sold", MovementKind.SELL, -1)
_RECEIVE = _edit(MovementKind.RECEIVE, "true")
_ADJUST = _edit(
    MovementKind.ADJUST,
    "on_hand + :delta >= held AND version = coalesce(CAST(:expected_version AS bigint), version)",
)
_MOVEMENTS = text("""
    SELECT id, variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at FROM stock_movements
    WHERE variant_id = :variant_id AND (CAST(:before AS bigint) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit
""")


class PostgresStock:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, variant_id: VariantId, owner: UserId | None) -> StockLevel | None:
        """See the port."""
        row = (await self._connection.execute(_GET, {"variant_id": variant_id, "owner": owner})).one_or_none()
        return _level(row) if row else None

    async def lock(self, variant_ids: Sequence[VariantId]) -> None:
        """See the port."""
        await self._connection.execute(_LOCK, {"variant_ids": list(set(variant_ids))})

    async def hold(self, hold_id: HoldId, lines: Sequence[HoldLine], at: datetime) -> tuple[Shortage, ...]:
        """See the port."""
        rows = (
            await self._connection.execute(
                _HOLD,
                {
                    "hold_id": hold_id,
                    "variant_ids": [line.variant_id for line in lines],
                    "quantities": [line.quantity for line in lines],
                    "at": at,
                },
            )
        ).all()
        if rows[0].held == len(lines):
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
        return await self._end(_RELEASE, hold_id, at, reason)

    async def sell(self, hold_id: HoldId, at: datetime, reason: str) -> int:
        """See the port."""
        return await self._end(_SELL, hold_id, at, reason)

    async def receive(self, edit: StockEdit, quantity: int) -> StockLevel | None:
        """See the port."""
        return await self._change(_RECEIVE, edit, delta=quantity)

    async def adjust(self, edit: StockEdit, delta: int, expected_version: int | None) -> StockLevel | None:
        """See the port."""
        return await self._change(_ADJUST, edit, delta=delta, expected_version=expected_version)

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
        rows = await self._connection.execute(_MOVEMENTS, values)
        return Page.cut([_movement(row) for row in rows], page, lambda movement: (str(movement.id),))

    async def _end(self, statement: TextClause, hold_id: HoldId, at: datetime, reason: str) -> int:
        values = {"hold_id": hold_id, "at": at, "reason": reason}
        return int(await self._connection.scalar(statement, values) or 0)

    async def _change(self, statement: TextClause, edit: StockEdit, **values: int | None) -> StockLevel | None:
        row = (
            await self._connection.execute(
                statement,
                {
                    "variant_id": edit.variant_id,
                    "at": edit.at,
                    "reason": edit.reason,
                    "actor": str(edit.actor),
                    "owner": edit.owner,
                }
                | values,
            )
        ).one_or_none()
        return _level(row) if row else None


def _level(row: Row[Any]) -> StockLevel:
    return StockLevel(VariantId(row.variant_id), row.on_hand, row.held, row.version, row.updated_at)


def _movement(row: Row[Any]) -> StockMovement:
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
