"""Carts in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kapda.adapters.postgres.cart_statements import (
    ABSORB,
    ADD_GUEST,
    ADD_LINE,
    CLEAR,
    DELETE,
    DELETE_EXPIRED,
    FACTS,
    FIND_GUEST,
    GET,
    GET_GUEST,
    LOCK,
    LOCK_EXPIRED,
    LOCK_GUEST,
    REMOVE_LINE,
    REVIVE,
    SET_QUANTITY,
    TAKE_BOUGHT,
    TOUCH,
    TOUCH_GUEST,
)
from kapda.adapters.postgres.connection import Connection, Row
from kapda.domain.cart.cart import Cart, CartLine, SaleTerms
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import LineFacts
from kapda.domain.shared.ids import CartId, DesignerId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money


class PostgresCarts:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, owner: CartOwner, at: datetime) -> Cart | None:
        """See the port."""
        statement = GET if owner.guest_cart_id is None else GET_GUEST
        rows = (await self._connection.execute(statement, {"id": owner.id, "at": at})).all()
        return _cart(rows) if rows else None

    async def lock(self, owner: CartOwner, at: datetime) -> Cart | None:
        """See the port. Read after the lock is held: rows joined by a waiting statement would be those of its start."""
        statement = LOCK if owner.guest_cart_id is None else LOCK_GUEST
        await self._connection.execute(statement, {"id": owner.id, "at": at})
        return await self.get(owner, at)

    async def touch(self, owner: CartOwner, new_id: CartId, at: datetime, expires_at: datetime) -> CartId | None:
        """See the port."""
        values = {"id": owner.id, "at": at, "expires_at": expires_at}
        if owner.guest_cart_id is not None:
            found = await self._connection.scalar(TOUCH_GUEST, values)
        else:
            found = await self._connection.scalar(TOUCH, values | {"new_id": new_id})
            found = found or await self._connection.scalar(REVIVE, values)
        return CartId(found) if found else None

    async def add_guest(self, cart_id: CartId, token_digest: bytes, at: datetime, expires_at: datetime) -> None:
        """See the port."""
        values = {"id": cart_id, "token_digest": token_digest, "at": at, "expires_at": expires_at}
        await self._connection.execute(ADD_GUEST, values)

    async def find_guest(self, token_digest: bytes, at: datetime) -> CartId | None:
        """See the port."""
        found = await self._connection.scalar(FIND_GUEST, {"token_digest": token_digest, "at": at})
        return CartId(found) if found else None

    async def absorb(
        self, cart_id: CartId, guest_cart_id: CartId, quantities: Sequence[tuple[VariantId, int]], at: datetime
    ) -> None:
        """See the port."""
        values = _arrays(quantities) | {"cart_id": cart_id, "guest_cart_id": guest_cart_id, "at": at}
        await self._connection.execute(ABSORB, values)
        await self._connection.execute(DELETE, {"cart_id": guest_cart_id})

    async def delete_expired(self, at: datetime, limit: int) -> int:
        """See the port."""
        ids = await self._connection.scalars(LOCK_EXPIRED, {"at": at, "limit": limit})
        return len(await self._connection.execute(DELETE_EXPIRED, {"ids": ids})) if ids else 0

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        return bool(await self._connection.scalar(ADD_LINE, values))

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        return bool(await self._connection.scalar(SET_QUANTITY, values))

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id}
        row = (await self._connection.execute(FACTS, values)).one_or_none()
        if row is None:
            return LineFacts(False, False, 0, 0, 0, 0)
        return LineFacts(True, row.on_sale, row.available, row.max_quantity_per_line, row.in_cart, row.line_count)

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> bool:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id}
        return bool(await self._connection.scalar(REMOVE_LINE, values))

    async def clear(self, cart_id: CartId) -> None:
        """See the port."""
        await self._connection.execute(CLEAR, {"cart_id": cart_id})

    async def take_bought(self, cart_id: CartId, bought: Sequence[tuple[VariantId, int]], at: datetime) -> None:
        """See the port."""
        await self._connection.write(TAKE_BOUGHT, _arrays(bought) | {"cart_id": cart_id, "at": at})


def _arrays(quantities: Sequence[tuple[VariantId, int]]) -> dict[str, Any]:
    return {
        "variant_ids": [variant_id for variant_id, _ in quantities],
        "quantities": [quantity for _, quantity in quantities],
    }


def _cart(rows: Sequence[Row]) -> Cart:
    first = rows[0]
    return Cart(
        id=CartId(first["id"]),
        customer_id=UserId(first["customer_id"]) if first["customer_id"] else None,
        lines=tuple(_line(row) for row in rows if row["variant_id"] is not None),
        version=first["version"],
        updated_at=first["updated_at"],
        expires_at=first["expires_at"],
    )


def _line(row: Row) -> CartLine:
    # By subscript: attributes of a row are found only after the search for a real one has failed.
    return CartLine(
        variant_id=VariantId(row["variant_id"]),
        product_id=ProductId(row["product_id"]),
        designer_id=DesignerId(row["designer_id"]),
        sku=row["sku"],
        title=row["title"],
        options=row["options"],
        quantity=row["quantity"],
        price_when_added=Money(row["price_when_added_minor"], row["currency"]),
        unit_price=Money(row["price_minor"], row["currency"]),
        available=row["available"],
        on_sale=row["on_sale"],
        max_quantity=row["max_quantity_per_line"],
        terms=SaleTerms(row["hsn_code"], row["gstin"], row["commission_basis_points"]),
    )
