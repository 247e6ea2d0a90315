"""The statements of stock: each locks its rows in order, judges, changes and writes the ledger.

The `locked` parts take the row locks in variant order before anything is changed; an UPDATE alone would lock in
whatever order its join produces, and two buyers of the same pieces would deadlock.

Each says in its own answer which variants were low, or became it, so that nobody asks when none has.
"""

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.writes import Write
from kapda.domain.inventory.availability import MAX_HOLDS_SHOWN
from kapda.domain.inventory.stock import MovementKind

_LEVEL = "variant_id, on_hand, held, version, updated_at, low_stock_threshold"
# Members of the variant's house, and those who may see every house (:owner is null).
_OWNED = """
    (CAST(:owner AS uuid) IS NULL OR EXISTS (
        SELECT FROM variants v JOIN products p ON p.id = v.product_id
        JOIN designer_members m ON m.designer_id = p.designer_id
        WHERE v.id = {variant_id} AND m.user_id = :owner))
"""
_MINE = _OWNED.format(variant_id=":variant_id")
GET = text(f"SELECT {_LEVEL} FROM stock WHERE variant_id = :variant_id AND {_MINE}")  # noqa: S608  (constants only)
LOCK = text("""
    SELECT FROM stock WHERE variant_id = ANY(CAST(:variant_ids AS uuid[])) ORDER BY variant_id FOR NO KEY UPDATE
""")
HOLD = Write(
    """
    wanted AS (
        SELECT * FROM unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS w (variant_id, quantity)
    ), locked AS MATERIALIZED (
        SELECT s.variant_id, s.available, w.quantity,
            s.available > s.low_stock_threshold AND s.available - w.quantity <= s.low_stock_threshold AS becomes_low
        FROM stock s JOIN wanted w USING (variant_id)
        ORDER BY s.variant_id FOR NO KEY UPDATE OF s
    ), verdict AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE available >= quantity) = cardinality(CAST(:variant_ids AS uuid[])) AS all_there
        FROM locked
    ), changed AS (
        UPDATE stock s SET held = s.held + l.quantity, version = s.version + 1, updated_at = :at
        FROM locked l WHERE s.variant_id = l.variant_id AND (SELECT all_there FROM verdict)
        RETURNING s.variant_id, l.quantity
    ), holds AS (
        INSERT INTO stock_holds AS h (hold_id, variant_id, quantity, state, held_since)
        SELECT :hold_id, variant_id, quantity, 'held', :at FROM changed
        ON CONFLICT (hold_id, variant_id) DO UPDATE
            SET state = 'held', quantity = excluded.quantity, held_since = excluded.held_since, ended_at = NULL
        WHERE h.state = 'released'
        RETURNING h.variant_id
    ), moves AS (
        INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
        SELECT variant_id, 'hold', 0, quantity, 'checkout started', 'checkout', :hold_id, :at FROM changed
    )
    """,
    answer="""
    SELECT w.variant_id, w.quantity, coalesce(l.available, 0) AS available, coalesce(l.becomes_low, false) AS becomes_low,
        (SELECT count(*) FROM holds) AS held
    FROM wanted w LEFT JOIN locked l USING (variant_id)
""",
)


def _end_hold(state: str, kind: MovementKind, on_hand_sign: int) -> Write:
    """Ends what a hold still holds: `on_hand_sign` is -1 where the pieces leave the shelf and 0 where they stay.

    `rose` are the variants that were low before it and are not any more.
    """
    return Write(
        f"""
        ended AS (
            UPDATE stock_holds SET state = '{state}', ended_at = :at
            WHERE hold_id = :hold_id AND state = 'held' RETURNING variant_id, quantity
        ), locked AS MATERIALIZED (
            SELECT s.variant_id, e.quantity, s.available <= s.low_stock_threshold
                AND s.available + ({1 + on_hand_sign}) * e.quantity > s.low_stock_threshold AS rises
            FROM stock s JOIN ended e USING (variant_id)
            ORDER BY s.variant_id FOR NO KEY UPDATE OF s
        ), changed AS (
            UPDATE stock s SET on_hand = s.on_hand + ({on_hand_sign}) * l.quantity, held = s.held - l.quantity,
                version = s.version + 1, updated_at = :at
            FROM locked l WHERE s.variant_id = l.variant_id RETURNING s.variant_id, l.quantity, l.rises
        ), moves AS (
            INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
            SELECT variant_id, '{kind.value}', ({on_hand_sign}) * quantity, -quantity, :reason, 'checkout', :hold_id, :at
            FROM changed
        )
        """,  # noqa: S608  (constants only)
        answer="""SELECT count(*) AS ended, array_agg(variant_id) FILTER (WHERE rises) AS rose FROM changed""",
    )


def _edit(kind: MovementKind, delta: str, guard: str) -> TextClause:
    """Changes one variant's shelf by `delta` where the guard allows; nothing to change is no refusal."""
    return text(f"""
        WITH locked AS MATERIALIZED (
            SELECT {_LEVEL}, {delta} AS delta, available <= low_stock_threshold AS was_low FROM stock
            WHERE variant_id = :variant_id AND {guard} AND {_MINE} FOR NO KEY UPDATE
        ), changed AS (
            UPDATE stock s SET on_hand = s.on_hand + l.delta, version = s.version + 1, updated_at = :at
            FROM locked l WHERE s.variant_id = l.variant_id AND l.delta <> 0
            RETURNING s.*, l.delta, l.was_low
        ), moves AS (
            INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
            SELECT variant_id, '{kind.value}', delta, 0, :reason, :actor, :at FROM changed
        )
        SELECT {_LEVEL}, was_low FROM changed
        UNION ALL SELECT {_LEVEL}, was_low FROM locked WHERE delta = 0
    """)  # noqa: S608  (constants only)


RELEASE = _end_hold("released", MovementKind.RELEASE, 0)
SELL = _end_hold("sold", MovementKind.SELL, -1)
RECEIVE = _edit(MovementKind.RECEIVE, "CAST(:delta AS integer)", "true")
ADJUST = _edit(
    MovementKind.ADJUST,
    "CAST(:delta AS integer)",
    "on_hand + :delta >= held AND version = coalesce(CAST(:expected_version AS bigint), version)",
)
SET_ON_HAND = _edit(
    MovementKind.ADJUST,
    "CAST(:on_hand AS integer) - on_hand",
    ":on_hand >= held AND version = CAST(:expected_version AS bigint)",
)
# Pieces of a sale that come back to the shelf.
TAKE_BACK = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS w (variant_id, quantity)
    ), locked AS MATERIALIZED (
        SELECT s.variant_id, w.quantity FROM stock s JOIN wanted w USING (variant_id)
        ORDER BY s.variant_id FOR NO KEY UPDATE OF s
    ), changed AS (
        UPDATE stock s SET on_hand = s.on_hand + l.quantity, version = s.version + 1, updated_at = :at
        FROM locked l WHERE s.variant_id = l.variant_id RETURNING s.variant_id, l.quantity
    )
    INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
    SELECT variant_id, 'return', quantity, 0, :reason, 'orders', :hold_id, :at FROM changed
""")
# A delivery that cannot be taken in as a whole waits for nobody's lock.
RECEIVE_ALL = text(f"""
    WITH wanted AS (
        SELECT * FROM unnest(
            CAST(:variant_ids AS uuid[]), CAST(:skus AS text[]), CAST(:quantities AS integer[])
        ) WITH ORDINALITY AS w (variant_id, sku, quantity, position)
    ), named AS MATERIALIZED (
        SELECT w.position, w.quantity, found.id AS variant_id
        FROM wanted w LEFT JOIN LATERAL (
            SELECT a.id FROM variants a WHERE a.id = w.variant_id
            UNION ALL SELECT b.id FROM variants b WHERE b.sku = w.sku
        ) found ON EXISTS (SELECT FROM stock s WHERE s.variant_id = found.id) AND {_OWNED.format(variant_id="found.id")}
    ), verdict AS MATERIALIZED (
        SELECT count(DISTINCT variant_id) = cardinality(CAST(:quantities AS integer[])) AS sound FROM named
    ), locked AS MATERIALIZED (
        SELECT s.variant_id, n.quantity, s.available <= s.low_stock_threshold AS was_low
        FROM stock s JOIN named n USING (variant_id)
        WHERE (SELECT sound FROM verdict) ORDER BY s.variant_id FOR NO KEY UPDATE OF s
    ), changed AS (
        UPDATE stock s SET on_hand = s.on_hand + l.quantity, version = s.version + 1, updated_at = :at
        FROM locked l WHERE s.variant_id = l.variant_id RETURNING s.*, l.quantity, l.was_low
    ), moves AS (
        INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
        SELECT variant_id, 'receive', quantity, 0, :reason, :actor, :at FROM changed
    )
    SELECT {_LEVEL}, was_low FROM named n LEFT JOIN changed c USING (variant_id) ORDER BY n.position
""")  # noqa: S608  (constants only)
SET_THRESHOLD = text(f"""
    WITH locked AS MATERIALIZED (
        SELECT variant_id, available <= low_stock_threshold AS was_low FROM stock
        WHERE variant_id = :variant_id AND {_MINE} FOR NO KEY UPDATE
    ), changed AS (
        UPDATE stock s SET low_stock_threshold = :threshold FROM locked l WHERE s.variant_id = l.variant_id
        RETURNING s.*, l.was_low
    )
    SELECT {_LEVEL}, was_low FROM changed
""")  # noqa: S608  (constants only)
# Read in the transaction that changed them, whose locks keep the counters as they are.
LOW = text("""
    SELECT s.variant_id, s.on_hand, s.held, s.version, s.updated_at, s.low_stock_threshold, v.sku, v.product_id,
        p.designer_id
    FROM stock s JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id
    WHERE s.variant_id = ANY(CAST(:variant_ids AS uuid[])) ORDER BY s.variant_id
""")
# Without a cursor it begins above every id there is: one comparison that a plan made once can look up in the index.
MOVEMENTS = text("""
    SELECT id, variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at FROM stock_movements
    WHERE variant_id = :variant_id AND id < coalesce(CAST(:before AS bigint), 9223372036854775807)
    ORDER BY id DESC LIMIT :limit
""")
# One row a hold, and one where there is none. Who the checkout's customer is stays out of it.
EXPLAIN = text(f"""
    SELECT s.variant_id, s.on_hand, s.held, s.version, s.updated_at, s.low_stock_threshold,
        v.sku, v.active, p.state AS listing,
        h.hold_id, h.quantity, h.held_since, h.checkout_state, h.hold_until, coalesce(h.hold_count, 0) AS hold_count
    FROM stock s JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id
    LEFT JOIN LATERAL (
        SELECT o.hold_id, o.quantity, o.held_since, k.state AS checkout_state, k.hold_until, count(*) OVER () AS hold_count
        FROM stock_holds o LEFT JOIN checkouts k ON k.id = o.hold_id
        WHERE o.variant_id = s.variant_id AND o.state = 'held'
        ORDER BY k.hold_until, o.hold_id LIMIT {MAX_HOLDS_SHOWN}
    ) h ON true
    WHERE s.variant_id = :variant_id AND {_MINE}
    ORDER BY h.hold_until, h.hold_id
""")  # noqa: S608  (constants only)
