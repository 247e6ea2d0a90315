"""Carts in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from kapda.domain.cart.cart import MAX_LINES, Cart, CartLine
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import LineFacts
from kapda.domain.checkout.checkout import LIVE
from kapda.domain.shared.ids import CartId, VariantId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.fakes.requests_and_events import InMemoryRequestLog
from tests.fakes.tables import CartLineRow, CartRow, Tables, VariantRow

T = TypeVar("T")


class InMemoryCarts:
    """Carts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._requests = InMemoryRequestLog(tables)

    async def get(self, owner: CartOwner, at: datetime) -> Cart | None:
        row = self._row(owner, at)
        return None if row is None else self._cart(row.id)

    def _cart(self, cart_id: CartId) -> Cart | None:
        row = self._tables.carts.get(cart_id)
        if row is None:
            return None
        lines = sorted(
            (line.created_at, variant_id, line)
            for (cart_id, variant_id), line in self._tables.cart_lines.items()
            if cart_id == row.id
        )
        return Cart(
            row.id,
            row.customer_id,
            tuple(self._line(row.id, self._tables.variants[variant_id], line) for _, variant_id, line in lines),
            row.version,
            row.updated_at,
            row.expires_at,
        )

    async def lock(self, owner: CartOwner, at: datetime) -> Cart | None:
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
        earlier = await self._requests.claim(key, answer_type)
        if earlier is not None:
            return earlier
        row = self._row(owner, at)
        if row is None and owner.customer_id is None:
            return None
        expired = next((old for old in self._tables.carts.values() if old.customer_id == owner.customer_id), None)
        if row is None and expired is not None:
            row = expired
            await self.clear(row.id)
        row = row or CartRow(new_id, owner.customer_id, 0, at, expires_at)
        self._tables.carts[row.id] = replace(row, version=row.version + 1, updated_at=at, expires_at=expires_at)
        return row.id if pieces is None else await self.add_line(row.id, *pieces, at) or row.id

    async def add_guest(self, cart_id: CartId, token_digest: bytes, at: datetime, expires_at: datetime) -> None:
        self._tables.carts[cart_id] = CartRow(cart_id, None, 1, at, expires_at, token_digest)

    async def find_guest(self, token_digest: bytes, at: datetime) -> CartId | None:
        found = (row for row in self._tables.carts.values() if row.guest_token_digest == token_digest)
        return next((row.id for row in found if at < row.expires_at), None)

    async def absorb(
        self, cart_id: CartId, guest_cart_id: CartId, quantities: Sequence[tuple[VariantId, int]], at: datetime
    ) -> None:
        lines = self._tables.cart_lines
        for variant_id, quantity in quantities:
            line = lines.get((cart_id, variant_id)) or lines[guest_cart_id, variant_id]
            lines[cart_id, variant_id] = replace(line, quantity=quantity)
        await self._delete(guest_cart_id)

    async def delete_expired(self, at: datetime, limit: int) -> int:
        live = {row.checkout.cart_id for row in self._tables.checkouts.values() if row.checkout.state in LIVE}
        expired = [row for row in self._tables.carts.values() if row.expires_at <= at and row.id not in live]
        gone = sorted(expired, key=lambda row: row.expires_at)[:limit]
        for row in gone:
            await self._delete(row.id)
        return len(gone)

    async def add_line(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        line = self._tables.cart_lines.get((cart_id, variant_id))
        total = quantity + (line.quantity if line is not None else 0)
        if not self._allowed(await self.facts(cart_id, variant_id), total):
            return None
        price = line.price_when_added if line is not None else self._tables.variants[variant_id].price
        self._tables.cart_lines[cart_id, variant_id] = CartLineRow(
            total, price, line.created_at if line is not None else at
        )
        return self._cart(cart_id)

    async def set_quantity(self, cart_id: CartId, variant_id: VariantId, quantity: int, at: datetime) -> Cart | None:
        line = self._tables.cart_lines.get((cart_id, variant_id))
        if line is None or not self._allowed(await self.facts(cart_id, variant_id), quantity):
            return None
        self._tables.cart_lines[cart_id, variant_id] = replace(line, quantity=quantity)
        return self._cart(cart_id)

    async def facts(self, cart_id: CartId, variant_id: VariantId) -> LineFacts:
        variant = self._tables.variants.get(variant_id)
        line = self._tables.cart_lines.get((cart_id, variant_id))
        return LineFacts(
            variant_exists=variant is not None,
            on_sale=variant is not None and variant.on_sale,
            available=self._available(cart_id, variant_id),
            max_quantity=variant.max_quantity if variant is not None else 0,
            quantity_in_cart=line.quantity if line is not None else 0,
            line_count=sum(1 for cart, _ in self._tables.cart_lines if cart == cart_id),
        )

    async def remove_line(self, cart_id: CartId, variant_id: VariantId) -> Cart | None:
        removed = self._tables.cart_lines.pop((cart_id, variant_id), None)
        return None if removed is None else self._cart(cart_id)

    async def clear(self, cart_id: CartId) -> Cart | None:
        for key in [key for key in self._tables.cart_lines if key[0] == cart_id]:
            del self._tables.cart_lines[key]
        return self._cart(cart_id)

    async def take_bought(self, cart_id: CartId, bought: Sequence[tuple[VariantId, int]], at: datetime) -> None:
        for variant_id, quantity in bought:
            line = self._tables.cart_lines.get((cart_id, variant_id))
            if line is None:
                continue
            if line.quantity <= quantity:
                del self._tables.cart_lines[cart_id, variant_id]
            else:
                self._tables.cart_lines[cart_id, variant_id] = replace(line, quantity=line.quantity - quantity)
        if (cart := self._tables.carts.get(cart_id)) is not None:
            self._tables.carts[cart_id] = replace(cart, version=cart.version + 1, updated_at=at)

    def _row(self, owner: CartOwner, at: datetime) -> CartRow | None:
        if owner.guest_cart_id is not None:
            rows = [row for row in self._tables.carts.values() if row.id == owner.guest_cart_id]
        else:
            rows = list(self._tables.carts.values())
        return next((row for row in rows if row.customer_id == owner.customer_id and at < row.expires_at), None)

    async def _delete(self, cart_id: CartId) -> None:
        await self.clear(cart_id)
        del self._tables.carts[cart_id]

    def _allowed(self, facts: LineFacts, quantity: int) -> bool:
        fits = quantity <= min(facts.available, facts.max_quantity)
        return facts.on_sale and fits and (facts.quantity_in_cart > 0 or facts.line_count < MAX_LINES)

    def _available(self, cart_id: CartId, variant_id: VariantId) -> int:
        level = self._tables.stock.get(variant_id)
        own = sum(
            hold.quantity
            for row in self._tables.checkouts.values()
            if row.checkout.cart_id == cart_id and row.checkout.state in LIVE
            if (hold := self._tables.holds.get((row.checkout.hold_id, variant_id))) is not None and hold.state == "held"
        )
        return own + (level.available if level is not None else 0)

    def _line(self, cart_id: CartId, variant: VariantRow, line: CartLineRow) -> CartLine:
        return CartLine(
            variant_id=variant.id,
            product_id=variant.product_id,
            designer_id=variant.designer_id,
            sku=variant.sku,
            title=variant.title,
            options=variant.options,
            quantity=line.quantity,
            price_when_added=line.price_when_added,
            unit_price=variant.price,
            available=self._available(cart_id, variant.id),
            on_sale=variant.on_sale,
            max_quantity=variant.max_quantity,
            terms=variant.terms,
        )
