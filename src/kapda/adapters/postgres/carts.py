"""Carts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kapda.domain.cart.cart import MAX_LINES, Cart, CartLine, SaleTerms
from kapda.domain.cart.ports import LineFacts
from kapda.domain.shared.ids import CartId, DesignerId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money

# What the cart's own live checkout holds of variant v: available to this cart and to nobody else.
_OWN_HOLD = """
    coalesce((
        SELECT h.quantity FROM checkouts k JOIN stock_holds h ON h.hold_id = k.id
        WHERE k.cart_id = {cart} AND k.state IN ('opening', 'open', 'capturing')
            AND h.variant_id = v.id AND h.state = 'held'
    ), 0)
"""
_GET = text(f"""
    SELECT c.id, c.customer_id, c.version, c.updated_at, c.expires_at,
        l.variant_id, l.quantity, l.unit_price_minor AS price_when_added_minor, l.currency,
        v.product_id, v.sku, v.options, v.price_minor, v.hsn_code, v.active AND p.state = 'published' AS on_sale,
        p.title, p.designer_id, p.max_quantity_per_line, d.gstin, d.commission_basis_points,
        coalesce(s.available, 0) + {_OWN_HOLD.format(cart="c.id")} AS available
    FROM carts c
    LEFT JOIN cart_lines l ON l.cart_id = c.id
    LEFT JOIN variants v ON v.id = l.variant_id
    LEFT JOIN products p ON p.id = v.product_id
    LEFT JOIN designers d ON d.id = p.designer_id
    LEFT JOIN stock s ON s.variant_id = v.id
    WHERE c.customer_id = :customer_id
    ORDER BY l.created_at, l.variant_id
""")  # noqa: S608  (constants only)
_LOCK = text("SELECT FROM carts WHERE customer_id = :customer_id FOR NO KEY UPDATE")
_LOCK_ID = text("SELECT FROM carts WHERE id = :cart_id FOR NO KEY UPDATE")
_TOUCH = text("""
    INSERT INTO carts AS c (id, customer_id, created_at, updated_at, expires_at)
    VALUES (:id, :customer_id, :at, :at, :expires_at)
    ON CONFLICT (customer_id) DO UPDATE
        SET version = c.version + 1, updated_at = excluded.updated_at, expires_at = excluded.expires_at
    RETURNING id
""")
_ON_SALE_WITHIN_LIMITS = f"""
    v.active AND p.state = 'published'
    AND {{quantity}} <= least(p.max_quantity_per_line, s.available + {_OWN_HOLD.format(cart=":cart_id")})
"""
_ADD_LINE = text(f"""
    INSERT INTO cart_lines AS l (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
    SELECT :cart_id, v.id, :quantity, v.price_minor, v.currency, :at, :at
    FROM variants v JOIN products p ON p.id = v.product_id JOIN stock s ON s.variant_id = v.id
    LEFT JOIN cart_lines mine ON mine.cart_id = :cart_id AND mine.variant_id = v.id
    WHERE v.id = :variant_id
        AND {_ON_SALE_WITHIN_LIMITS.format(quantity="coalesce(mine.quantity, 0) + :quantity")}
        AND (mine.quantity IS NOT NULL
            OR (SELECT count(*) FROM cart_lines all_lines WHERE all_lines.cart_id = :cart_id) < {MAX_LINES})
    ON CONFLICT (cart_id, variant_id) DO UPDATE
        SET quantity = l.quantity + excluded.quantity, updated_at = excluded.updated_at
    RETURNING true
""")  # noqa: S608  (constants only)
_SET_QUANTITY = text(f"""
    UPDATE cart_lines l SET quantity = :quantity, updated_at = :at
    FROM variants v JOIN products p ON p.id = v.product_id JOIN stock s ON s.variant_id = v.id
    WHERE l.cart_id = :cart_id AND l.variant_id = :variant_id AND v.id = l.variant_id
        AND {_ON_SALE_WITHIN_LIMITS.format(quantity=":quantity")}
    RETURNING true
""")  # noqa: S608  (constants only)
_FACTS = text(f"""
    SELECT v.active AND p.state = 'published' AS on_sale, p.max_quantity_per_line,
        coalesce(s.available, 0) + {_OWN_HOLD.format(cart=":cart_id")} AS available,
        coalesce((SELECT quantity FROM cart_lines WHERE cart_id = :cart_id AND variant_id = v.id), 0) AS in_cart,
        (SELECT count(*) FROM cart_lines WHERE cart_id = :cart_id) AS line_count
    FROM variants v JOIN products p ON p.id = v.product_id LEFT JOIN stock s ON s.variant_id = v.id
    WHERE v.id = :variant_id AND p.state <> 'draft'
""")  # noqa: S608  (constants only)
_REMOVE_LINE = text("DELETE FROM cart_lines WHERE cart_id = :cart_id AND variant_id = :variant_id RETURNING true")
_CLEAR = text("DELETE FROM cart_lines WHERE cart_id = :cart_id")
_TAKE_BOUGHT = text("""
    WITH bought AS (
        SELECT * FROM unnest(CAST(:variant_ids AS uuid[]), CAST(:quantities AS integer[])) AS b (variant_id, quantity)
    ), gone AS (
        DELETE FROM cart_lines l USING bought b
        WHERE l.cart_id = :cart_id AND l.variant_id = b.variant_id AND l.quantity <= b.quantity
    ), lowered AS (
        UPDATE cart_lines l SET quantity = l.quantity - b.quantity, updated_at = :at FROM bought b
        WHERE l.cart_id = :cart_id AND l.variant_id = b.variant_id AND l.quantity > b.quantity
    )
    UPDATE carts SET version = version + 1, updated_at = :at WHERE id = :cart_id
""")


class PostgresCarts:
    """See the port."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, customer_id: UserId) -> Cart | None:
        """See the port."""
        rows = (await self._connection.execute(_GET, {"customer_id": customer_id})).all()
        return _cart(rows) if rows else None

    async def lock(self, customer_id: UserId) -> Cart | None:
        """See the port. Read after the lock is held: rows joined by a waiting statement would be those of its start."""
        await self._connection.execute(_LOCK, {"customer_id": customer_id})
        return await self.get(customer_id)

    async def lock_id(self, cart_id: CartId) -> None:
        """See the port."""
        await self._connection.execute(_LOCK_ID, {"cart_id": cart_id})

    async def touch(self, customer_id: UserId, new_id: CartId, at: datetime, expires_at: datetime) -> CartId:
        """See the port."""
        values = {"id": new_id, "customer_id": customer_id, "at": at, "expires_at": expires_at}
        return CartId((await self._connection.execute(_TOUCH, values)).scalar_one())

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        return bool(await self._connection.scalar(_ADD_LINE, values))

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        return bool(await self._connection.scalar(_SET_QUANTITY, values))

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id}
        row = (await self._connection.execute(_FACTS, values)).one_or_none()
        if row is None:
            return LineFacts(False, False, 0, 0, 0, 0)
        return LineFacts(True, row.on_sale, row.available, row.max_quantity_per_line, row.in_cart, row.line_count)

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id}
        return bool(await self._connection.scalar(_REMOVE_LINE, values))

    async def clear(self, cart_id: CartId) -> None:
        """See the port."""
        await self._connection.execute(_CLEAR, {"cart_id": cart_id})

    async def take_bought(self, cart_id: CartId, bought: Sequence[tuple[VariantId, int]], at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _TAKE_BOUGHT,
            {
                "cart_id": cart_id,
                "variant_ids": [variant_id for variant_id, _ in bought],
                "quantities": [quantity for _, quantity in bought],
                "at": at,
            },
        )


def _cart(rows: Sequence[Row[Any]]) -> Cart:
    first = rows[0]
    return Cart(
        id=CartId(first.id),
        customer_id=UserId(first.customer_id),
        lines=tuple(_line(row) for row in rows if row.variant_id is not None),
        version=first.version,
        updated_at=first.updated_at,
        expires_at=first.expires_at,
    )


def _line(row: Row[Any]) -> CartLine:
    return CartLine(
        variant_id=VariantId(row.variant_id),
        product_id=ProductId(row.product_id),
        designer_id=DesignerId(row.designer_id),
        sku=row.sku,
        title=row.title,
        options=row.options,
        quantity=row.quantity,
        price_when_added=Money(row.price_when_added_minor, row.currency),
        unit_price=Money(row.price_minor, row.currency),
        available=row.available,
        on_sale=row.on_sale,
        max_quantity=row.max_quantity_per_line,
        terms=SaleTerms(row.hsn_code, row.gstin, row.commission_basis_points),
    )
