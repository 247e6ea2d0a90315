"""Carts in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import TextClause

from kapda.adapters.postgres.cart_statements import (
    ABSORB,
    ADD_GUEST,
    ADD_LINE,
    CLAIM_AND_TOUCH,
    CLAIM_AND_TOUCH_GUEST,
    CLAIM_TOUCH_AND_ADD,
    CLAIM_TOUCH_AND_ADD_GUEST,
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
)
from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.request_log import PostgresRequestLog, claim_values
from kapda.domain.cart.cart import Cart, CartLine, SaleTerms
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import LineFacts
from kapda.domain.shared.ids import CartId, DesignerId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import EarlierRequest, RequestKey

T = TypeVar("T")

# By whether a guest's cart is touched, and whether pieces are added to it.
_TOUCHES = {
    (False, False): CLAIM_AND_TOUCH,
    (False, True): CLAIM_TOUCH_AND_ADD,
    (True, False): CLAIM_AND_TOUCH_GUEST,
    (True, True): CLAIM_TOUCH_AND_ADD_GUEST,
}


class PostgresCarts:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, owner: CartOwner, at: datetime) -> Cart | None:
        """See the port."""
        statement = GET if owner.guest_cart_id is None else GET_GUEST
        rows = (await self._connection.execute(statement, {"id": owner.id, "at": at})).all()
        return to_cart(rows) if rows else None

    async def lock(self, owner: CartOwner, at: datetime) -> Cart | None:
        """See the port. Read after the lock is held: rows joined by a waiting statement would be those of its start."""
        statement = LOCK if owner.guest_cart_id is None else LOCK_GUEST
        await self._connection.execute(statement, {"id": owner.id, "at": at})
        return await self.get(owner, at)

    async def claim_and_touch(
        self,
        key: RequestKey,
        answer_type: type[T],
        owner: CartOwner,
        new_id: CartId,
        *,
        at: datetime,
        expires_at: datetime,
        pieces: tuple[VariantId, int] | None = None,
    ) -> Cart | CartId | EarlierRequest[T] | None:
        """See the port."""
        values = {"id": owner.id, "at": at, "expires_at": expires_at}
        bound = claim_values(key) | values
        if owner.guest_cart_id is None:
            bound["new_id"] = new_id
        if pieces is not None:
            bound["variant_id"], bound["quantity"] = pieces
        statement = _TOUCHES[owner.guest_cart_id is not None, pieces is not None]
        rows = (await self._connection.execute(statement, bound)).all()
        first = rows[0]
        if not first["claimed"]:
            return await PostgresRequestLog(self._connection).earlier(key, answer_type)
        if pieces is not None and first["id"] is not None:
            return to_cart(rows)
        found = first["cart_id"]
        if found is None and owner.guest_cart_id is None:
            found = await self._connection.scalar(REVIVE, values)
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

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        """See the port."""
        return await self._edit(
            ADD_LINE, {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        )

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        """See the port."""
        return await self._edit(
            SET_QUANTITY, {"cart_id": cart_id, "variant_id": variant_id, "quantity": quantity, "at": at}
        )

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        """See the port."""
        values = {"cart_id": cart_id, "variant_id": variant_id}
        row = (await self._connection.execute(FACTS, values)).one_or_none()
        if row is None:
            return LineFacts(False, False, 0, 0, 0, 0)
        return LineFacts(True, row.on_sale, row.available, row.max_quantity_per_line, row.in_cart, row.line_count)

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> Cart | None:
        """See the port."""
        return await self._edit(REMOVE_LINE, {"cart_id": cart_id, "variant_id": variant_id})

    async def clear(self, cart_id: CartId) -> Cart | None:
        """See the port."""
        return await self._edit(CLEAR, {"cart_id": cart_id})

    async def _edit(self, statement: TextClause, values: Mapping[str, Any]) -> Cart | None:
        rows = (await self._connection.execute(statement, values)).all()
        return to_cart(rows) if rows else None

    async def take_bought(self, cart_id: CartId, bought: Sequence[tuple[VariantId, int]], at: datetime) -> None:
        """See the port."""
        await self._connection.write(TAKE_BOUGHT, _arrays(bought) | {"cart_id": cart_id, "at": at})


def _arrays(quantities: Sequence[tuple[VariantId, int]]) -> dict[str, Any]:
    return {
        "variant_ids": [variant_id for variant_id, _ in quantities],
        "quantities": [quantity for _, quantity in quantities],
    }


def to_cart(rows: Sequence[Row]) -> Cart:
    """The cart of COLUMNS, a row a line."""
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
