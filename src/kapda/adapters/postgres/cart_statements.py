"""The SQL of carts. `c` is the cart everywhere.

A cart that has expired is treated as absent by the statements themselves, whether or not the sweep has been there.
"""

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.request_log import CLAIMED
from kapda.adapters.postgres.writes import Write
from kapda.domain.cart.cart import MAX_LINES

# What the cart's own live checkout holds of variant v: available to this cart and to nobody else.
_OWN_HOLD = """
    coalesce((
        SELECT h.quantity FROM checkouts k JOIN stock_holds h ON h.hold_id = k.id
        WHERE k.cart_id = {cart} AND k.state IN ('opening', 'open', 'capturing')
            AND h.variant_id = v.id AND h.state = 'held'
    ), 0)
"""
COLUMNS = f"""
    c.id, c.customer_id, c.version, c.updated_at, c.expires_at,
        l.variant_id, l.quantity, l.unit_price_minor AS price_when_added_minor, l.currency,
        v.product_id, v.sku, v.options, v.price_minor, v.hsn_code, v.active AND p.state = 'published' AS on_sale,
        p.title, p.designer_id, p.max_quantity_per_line, d.gstin, d.commission_basis_points,
        coalesce(s.available, 0) + {_OWN_HOLD.format(cart="c.id")} AS available
"""
_LINES = """
    LEFT JOIN {lines} l ON l.cart_id = c.id
    LEFT JOIN variants v ON v.id = l.variant_id
    LEFT JOIN products p ON p.id = v.product_id
    LEFT JOIN designers d ON d.id = p.designer_id
    LEFT JOIN stock s ON s.variant_id = v.id
"""
WITH_LINES = f"FROM carts c {_LINES}"
_SELECT = f"SELECT {COLUMNS} {WITH_LINES.format(lines='cart_lines')}"
IN_ORDER = "ORDER BY l.created_at, l.variant_id"
CUSTOMERS = "c.customer_id = :id AND c.expires_at > :at"
_GUESTS = "c.id = :id AND c.customer_id IS NULL AND c.expires_at > :at"
GET = text(f"{_SELECT} WHERE {CUSTOMERS} {IN_ORDER}")
GET_GUEST = text(f"{_SELECT} WHERE {_GUESTS} {IN_ORDER}")
LOCK = text(f"SELECT FROM carts c WHERE {CUSTOMERS} FOR NO KEY UPDATE")
LOCK_GUEST = text(f"SELECT FROM carts c WHERE {_GUESTS} FOR NO KEY UPDATE")
# A cart that has expired is locked by this and left as it is: no row comes back.
_TOUCH = """
    INSERT INTO carts AS c (id, customer_id, created_at, updated_at, expires_at)
    SELECT :new_id, :id, :at, :at, :expires_at FROM claimed
    ON CONFLICT (customer_id) DO UPDATE
        SET version = c.version + 1, updated_at = excluded.updated_at, expires_at = excluded.expires_at
        WHERE c.expires_at > :at
    RETURNING c.*
"""
REVIVE = text("""
    WITH revived AS (
        UPDATE carts SET version = version + 1, updated_at = :at, expires_at = :expires_at WHERE customer_id = :id
        RETURNING id
    ), emptied AS (
        DELETE FROM cart_lines l USING revived r WHERE l.cart_id = r.id
    )
    SELECT id FROM revived
""")
_TOUCH_GUEST = f"""
    UPDATE carts c SET version = c.version + 1, updated_at = :at, expires_at = :expires_at FROM claimed
    WHERE {_GUESTS} RETURNING c.*
"""  # noqa: S608  (constants only)
_CLAIM_AND_TOUCH = f"""
    WITH {CLAIMED}, touched AS ({{touch}})
    SELECT (SELECT first FROM claimed) AS claimed, (SELECT id FROM touched) AS cart_id
"""  # noqa: S608  (constants only)
CLAIM_AND_TOUCH = text(_CLAIM_AND_TOUCH.format(touch=_TOUCH))
CLAIM_AND_TOUCH_GUEST = text(_CLAIM_AND_TOUCH.format(touch=_TOUCH_GUEST))
ADD_GUEST = text("""
    INSERT INTO carts (id, guest_token_digest, created_at, updated_at, expires_at)
    VALUES (:id, :token_digest, :at, :at, :expires_at)
""")
FIND_GUEST = text("SELECT id FROM carts WHERE guest_token_digest = :token_digest AND expires_at > :at")
ABSORB = text("""
    INSERT INTO cart_lines (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
    SELECT :cart_id, g.variant_id, q.quantity, g.unit_price_minor, g.currency, g.created_at, :at
    FROM cart_lines g
    JOIN unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS q (variant_id, quantity)
        ON q.variant_id = g.variant_id
    WHERE g.cart_id = :guest_cart_id
    ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity, updated_at = excluded.updated_at
""")
DELETE = text("DELETE FROM carts WHERE id = :cart_id")
_HAS_LIVE_CHECKOUT = """
    EXISTS (SELECT FROM checkouts k WHERE k.cart_id = c.id AND k.state IN ('opening', 'open', 'capturing'))
"""
LOCK_EXPIRED = text(f"""
    SELECT c.id FROM carts c WHERE c.expires_at <= :at AND NOT {_HAS_LIVE_CHECKOUT}
    ORDER BY c.expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
""")  # noqa: S608  (constants only)
# Asked again under the lock: a checkout that was starting while the rows were chosen has committed by now.
DELETE_EXPIRED = text(f"""
    DELETE FROM carts c WHERE c.id = ANY (CAST(:ids AS uuid[])) AND NOT {_HAS_LIVE_CHECKOUT} RETURNING id
""")  # noqa: S608  (constants only)
_ON_SALE_WITHIN_LIMITS = f"""
    v.active AND p.state = 'published'
    AND {{quantity}} <= least(p.max_quantity_per_line, s.available + {_OWN_HOLD})
"""
_OF_LINE = "cart_id, variant_id, quantity, unit_price_minor, currency, created_at"


def _edit(change: str, lines: str, *, only_if_changed: bool) -> TextClause:
    """A change of lines, answered with the cart as it became. A statement does not see what it changes itself: `lines`
    says which there are now, from the table as it was and from what `changed` returned."""
    condition = "AND EXISTS (SELECT FROM changed)" if only_if_changed else ""
    return text(f"""
        WITH changed AS ({change}), lines AS ({lines})
        SELECT {COLUMNS} {WITH_LINES.format(lines="lines")} WHERE c.id = :cart_id {condition} {IN_ORDER}
    """)


_OTHERS_THAN_CHANGED = f"""
    SELECT {_OF_LINE} FROM cart_lines o
    WHERE o.cart_id = {{cart}} AND NOT EXISTS (SELECT FROM changed d WHERE d.variant_id = o.variant_id)
"""  # noqa: S608  (constants only)
_OTHERS = _OTHERS_THAN_CHANGED.format(cart=":cart_id")
_AND_CHANGED = f"UNION ALL SELECT {_OF_LINE} FROM changed"  # noqa: S608  (constants only)
_OTHERS_AND_CHANGED = f"{_OTHERS} {_AND_CHANGED}"
_ADD_TO_LINE = f"""
    INSERT INTO cart_lines AS l (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
    SELECT {{cart}}, v.id, :quantity, v.price_minor, v.currency, :at, :at
    FROM {{of_cart}} variants v JOIN products p ON p.id = v.product_id JOIN stock s ON s.variant_id = v.id
    LEFT JOIN cart_lines mine ON mine.cart_id = {{cart}} AND mine.variant_id = v.id
    WHERE v.id = :variant_id
        AND {_ON_SALE_WITHIN_LIMITS.format(quantity="coalesce(mine.quantity, 0) + :quantity", cart="{cart}")}
        AND (mine.quantity IS NOT NULL
            OR (SELECT count(*) FROM cart_lines all_lines WHERE all_lines.cart_id = {{cart}}) < {MAX_LINES})
    ON CONFLICT (cart_id, variant_id) DO UPDATE
        SET quantity = l.quantity + excluded.quantity, updated_at = excluded.updated_at
    RETURNING {_OF_LINE}
"""  # noqa: S608  (constants only)
_ADD_LINE = _ADD_TO_LINE.format(cart=":cart_id", of_cart="")
ADD_LINE = _edit(_ADD_LINE, _OTHERS_AND_CHANGED, only_if_changed=True)
# The touch may have waited for somebody else's change, and then all else in the statement is as it was before that: such
# a cart is no longer the version it was `before`, and nothing is added to it.
_CLAIM_TOUCH_AND_ADD = f"""
    WITH {CLAIMED}, before AS (
        SELECT c.version FROM carts c WHERE {{whose}}
    ), touched AS ({{touch}}), unchanged AS (
        SELECT t.* FROM touched t WHERE t.version = coalesce((SELECT version FROM before), 0) + 1
    ), changed AS (
        {_ADD_TO_LINE.format(cart="u.id", of_cart="unchanged u CROSS JOIN")}
    ), lines AS (
        {_OTHERS_THAN_CHANGED.format(cart="(SELECT id FROM unchanged)")} {_AND_CHANGED}
    )
    SELECT (SELECT first FROM claimed) AS claimed, (SELECT id FROM touched) AS cart_id, {COLUMNS}
    FROM (VALUES (true)) always LEFT JOIN unchanged c ON EXISTS (SELECT FROM changed)
    {_LINES.format(lines="lines")} {IN_ORDER}
"""  # noqa: S608  (constants only)
CLAIM_TOUCH_AND_ADD = text(_CLAIM_TOUCH_AND_ADD.format(whose=CUSTOMERS, touch=_TOUCH))
CLAIM_TOUCH_AND_ADD_GUEST = text(_CLAIM_TOUCH_AND_ADD.format(whose=_GUESTS, touch=_TOUCH_GUEST))
_SET_QUANTITY = f"""
    UPDATE cart_lines l SET quantity = :quantity, updated_at = :at
    FROM variants v JOIN products p ON p.id = v.product_id JOIN stock s ON s.variant_id = v.id
    WHERE l.cart_id = :cart_id AND l.variant_id = :variant_id AND v.id = l.variant_id
        AND {_ON_SALE_WITHIN_LIMITS.format(quantity=":quantity", cart=":cart_id")}
    RETURNING l.cart_id, l.variant_id, l.quantity, l.unit_price_minor, l.currency, l.created_at
"""  # noqa: S608  (constants only)
SET_QUANTITY = _edit(_SET_QUANTITY, _OTHERS_AND_CHANGED, only_if_changed=True)
FACTS = text(f"""
    SELECT v.active AND p.state = 'published' AS on_sale, p.max_quantity_per_line,
        coalesce(s.available, 0) + {_OWN_HOLD.format(cart=":cart_id")} AS available,
        coalesce((SELECT quantity FROM cart_lines WHERE cart_id = :cart_id AND variant_id = v.id), 0) AS in_cart,
        (SELECT count(*) FROM cart_lines WHERE cart_id = :cart_id) AS line_count
    FROM variants v JOIN products p ON p.id = v.product_id LEFT JOIN stock s ON s.variant_id = v.id
    WHERE v.id = :variant_id AND p.state <> 'draft'
""")  # noqa: S608  (constants only)
REMOVE_LINE = _edit(
    "DELETE FROM cart_lines WHERE cart_id = :cart_id AND variant_id = :variant_id RETURNING variant_id",
    _OTHERS,
    only_if_changed=True,
)
CLEAR = _edit("DELETE FROM cart_lines WHERE cart_id = :cart_id RETURNING variant_id", _OTHERS, only_if_changed=False)
TAKE_BOUGHT = Write("""
    bought AS (
        SELECT * FROM unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS b (variant_id, quantity)
    ), bought_out AS (
        DELETE FROM cart_lines l USING bought b
        WHERE l.cart_id = :cart_id AND l.variant_id = b.variant_id AND l.quantity <= b.quantity
    ), lowered AS (
        UPDATE cart_lines l SET quantity = l.quantity - b.quantity, updated_at = :at FROM bought b
        WHERE l.cart_id = :cart_id AND l.variant_id = b.variant_id AND l.quantity > b.quantity
    ), changed_cart AS (
        UPDATE carts SET version = version + 1, updated_at = :at WHERE id = :cart_id
    )
""")
