"""Checkouts in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.json_columns import address_json, to_address, to_json
from kapda.adapters.postgres.request_log import ANSWERED, CLAIMED, PostgresRequestLog, answer_values, claim_values
from kapda.adapters.postgres.writes import Write
from kapda.domain.checkout.checkout import LIVE, Checkout, CheckoutLine, CheckoutState
from kapda.domain.checkout.hold_limits import door_of
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.shared.ids import CartId, CheckoutId, DesignerId, OrderId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import EarlierRequest, RequestKey

T = TypeVar("T")

_LINE_COLUMNS = """position, variant_id, product_id, designer_id, sku, title, options, quantity, unit_price_minor,
    hsn_code, gst_basis_points, designer_gstin, commission_basis_points"""
_ADD = Write(f"""
    started AS (
        INSERT INTO checkouts (id, cart_id, customer_id, state, content_digest, items_total_minor, shipping_minor,
            total_minor, currency, address, door, gateway_lease_until, created_at, pay_before, hold_until, next_check_at)
        VALUES (:id, :cart_id, :customer_id, :state, :content_digest, :items_total_minor, :shipping_minor, :total_minor,
            :currency, CAST(:address AS jsonb), :door, :lease_until, :created_at, :pay_before, :hold_until, :next_check_at)
        RETURNING id
    ), started_lines AS (
        INSERT INTO checkout_lines (checkout_id, {_LINE_COLUMNS})
        SELECT started.id, {_LINE_COLUMNS} FROM started, jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (
            position integer, variant_id uuid, product_id uuid, designer_id uuid, sku text, title text, options jsonb,
            quantity integer, unit_price_minor bigint, hsn_code text, gst_basis_points integer, designer_gstin text,
            commission_basis_points integer)
    )
""")  # noqa: S608  (constants only)
_COLUMNS = """
    c.id, c.cart_id, c.customer_id, c.state, c.content_digest, c.shipping_minor, c.currency, c.address,
        c.gateway_order_id, c.created_at, c.pay_before, c.hold_until,
        (SELECT id FROM orders WHERE checkout_id = c.id) AS order_id,
        (SELECT json_agg(json_build_object(
            'position', position, 'variant_id', variant_id, 'product_id', product_id, 'designer_id', designer_id,
            'sku', sku, 'title', title, 'options', options, 'quantity', quantity,
            'unit_price_minor', unit_price_minor, 'hsn_code', hsn_code, 'gst_basis_points', gst_basis_points,
            'designer_gstin', designer_gstin, 'commission_basis_points', commission_basis_points) ORDER BY position)
         FROM checkout_lines WHERE checkout_id = c.id) AS lines
"""
_SELECT = f"SELECT {_COLUMNS} FROM checkouts c"  # noqa: S608  (constants only)
_OWNED = "id = :id AND (CAST(:customer_id AS uuid) IS NULL OR customer_id = :customer_id)"
LIVE_STATES = ", ".join(f"'{state.value}'" for state in sorted(LIVE, key=lambda state: state.value))
_GET = text(f"{_SELECT} WHERE {_OWNED}")
_LOCK = text(f"{_SELECT} WHERE {_OWNED} FOR NO KEY UPDATE OF c")
# The scan of the checkout begins with the condition, and so with the cart's lock.
_LOCK_BEHIND_CART = text(f"""
    WITH cart AS MATERIALIZED (SELECT FROM carts WHERE id = :cart_id FOR NO KEY UPDATE)
    {_SELECT} WHERE id = :id AND (SELECT count(*) FROM cart) >= 0 FOR NO KEY UPDATE OF c
""")  # noqa: S608  (constants only)
# Nothing is locked before the claim: each part begins with what it waits for.
_CLAIM_AND_LOCK = text(f"""
    WITH {CLAIMED}, cart AS MATERIALIZED (
        SELECT FROM carts WHERE id = :cart_id AND EXISTS (SELECT FROM claimed) FOR NO KEY UPDATE
    ), locked AS MATERIALIZED (
        SELECT * FROM checkouts
        WHERE id = :id AND EXISTS (SELECT FROM claimed) AND (SELECT count(*) FROM cart) >= 0 FOR NO KEY UPDATE
    )
    SELECT request.claimed, {_COLUMNS}
    FROM (SELECT (SELECT first FROM claimed) AS claimed) request LEFT JOIN locked c ON true
""")  # noqa: S608  (constants only)
_LOCK_LIVE = text(f"{_SELECT} WHERE cart_id = :cart_id AND state IN ({LIVE_STATES}) FOR NO KEY UPDATE OF c")
_FIND_BY_GATEWAY_ORDER = text("SELECT id, cart_id FROM checkouts WHERE gateway_order_id = :gateway_order_id")
_FIND = text("SELECT id, cart_id FROM checkouts WHERE id = :id")
_LEASE = text("""
    UPDATE checkouts SET gateway_lease_until = :until
    WHERE id = :id AND state = 'opening' AND (gateway_lease_until IS NULL OR gateway_lease_until <= :now)
    RETURNING true
""")
_RETURN_LEASE = text("""
    UPDATE checkouts SET gateway_lease_until = NULL WHERE id = :id AND gateway_lease_until = :until
""")
_SAVE = Write("""
    saved_checkout AS (
        UPDATE checkouts SET state = :state, gateway_order_id = :gateway_order_id,
            ended_at = CASE WHEN CAST(:live AS boolean) THEN NULL ELSE coalesce(ended_at, :at) END,
            next_check_at = coalesce(:look_again_at, next_check_at)
        WHERE id = :id
    )
""")
_OPENED = """
    UPDATE checkouts SET state = :state, gateway_order_id = :gateway_order_id WHERE id = :id AND state = 'opening'
    RETURNING id
"""
_OPEN = text(_OPENED)
_OPEN_AND_ANSWER = text(f"""
    WITH opened AS ({_OPENED}), {ANSWERED.format(condition="EXISTS (SELECT FROM opened)")} SELECT id FROM opened
""")  # noqa: S608  (constants only)
_SCHEDULE = text("UPDATE checkouts SET next_check_at = :next_check_at, check_attempts = :attempts WHERE id = :id")
_ATTEMPTS = text("SELECT check_attempts FROM checkouts WHERE id = :id")
_DUE = text("SELECT id FROM checkouts WHERE next_check_at <= :at ORDER BY next_check_at LIMIT :limit")


class PostgresCheckouts:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, checkout: Checkout, lease_until: datetime, next_check_at: datetime) -> None:
        """See the port."""
        await self._connection.write(
            _ADD,
            {
                "id": checkout.id,
                "cart_id": checkout.cart_id,
                "customer_id": checkout.customer_id,
                "state": checkout.state.value,
                "content_digest": checkout.content_digest,
                "items_total_minor": checkout.items_total.amount_minor,
                "shipping_minor": checkout.shipping.amount_minor,
                "total_minor": checkout.total.amount_minor,
                "currency": checkout.total.currency,
                "address": address_json(checkout.address),
                "door": door_of(checkout.address),
                "lease_until": lease_until,
                "created_at": checkout.created_at,
                "pay_before": checkout.pay_before,
                "hold_until": checkout.hold_until,
                "next_check_at": next_check_at,
                "lines": to_json([line_record(line) for line in checkout.lines]),
            },
        )

    async def get(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        """See the port."""
        return await self._one(_GET, {"id": checkout_id, "customer_id": customer_id})

    async def lock(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        """See the port."""
        return await self._locked(_LOCK, {"id": checkout_id, "customer_id": customer_id})

    async def lock_behind_cart(self, ref: CheckoutRef) -> Checkout | None:
        """See the port."""
        return await self._locked(_LOCK_BEHIND_CART, {"id": ref.id, "cart_id": ref.cart_id})

    async def claim_and_lock(
        self, key: RequestKey, answer_type: type[T], ref: CheckoutRef
    ) -> Checkout | EarlierRequest[T] | None:
        """See the port."""
        values = claim_values(key, ref.id) | {"id": ref.id, "cart_id": ref.cart_id}
        row = (await self._connection.execute(_CLAIM_AND_LOCK, values)).one()
        if not row["claimed"]:
            return await PostgresRequestLog(self._connection).earlier(key, answer_type)
        return await self._as_it_is_now(_checkout(row) if row["id"] else None)

    async def _locked(self, statement: TextClause, values: Mapping[str, Any]) -> Checkout | None:
        return await self._as_it_is_now(await self._one(statement, values))

    async def _as_it_is_now(self, checkout: Checkout | None) -> Checkout | None:
        # A statement that waited for the lock has the row as it is now, and everything else as it was when it began: lines,
        # which never change, but not the order that the other door placed meanwhile.
        if checkout is not None and checkout.state is CheckoutState.PLACED:
            return await self.get(checkout.id, None)
        return checkout

    async def lock_live(self, cart_id: CartId) -> Checkout | None:
        """See the port. What lives has no order that could be missed."""
        return await self._one(_LOCK_LIVE, {"cart_id": cart_id})

    async def find_by_gateway_order(self, gateway_order_id: str) -> CheckoutRef | None:
        """See the port."""
        return await self._ref(_FIND_BY_GATEWAY_ORDER, {"gateway_order_id": gateway_order_id})

    async def find(self, checkout_id: CheckoutId) -> CheckoutRef | None:
        """See the port."""
        return await self._ref(_FIND, {"id": checkout_id})

    async def lease_gateway(self, checkout_id: CheckoutId, now: datetime, until: datetime) -> bool:
        """See the port."""
        return bool(await self._connection.scalar(_LEASE, {"id": checkout_id, "now": now, "until": until}))

    async def return_gateway_lease(self, checkout_id: CheckoutId, until: datetime) -> None:
        """See the port."""
        await self._connection.execute(_RETURN_LEASE, {"id": checkout_id, "until": until})

    async def save(self, checkout: Checkout, at: datetime, look_again_at: datetime | None = None) -> None:
        """See the port."""
        await self._connection.write(
            _SAVE,
            {
                "id": checkout.id,
                "state": checkout.state.value,
                "gateway_order_id": checkout.gateway_order_id,
                "live": checkout.state in LIVE,
                "at": at,
                "look_again_at": look_again_at,
            },
        )

    async def open(self, opened: Checkout, key: RequestKey | None) -> bool:
        """See the port."""
        values = {"id": opened.id, "state": opened.state.value, "gateway_order_id": opened.gateway_order_id}
        if key is None:
            return bool(await self._connection.execute(_OPEN, values))
        return bool(await self._connection.execute(_OPEN_AND_ANSWER, values | answer_values(key, opened)))

    async def schedule_check(self, checkout_id: CheckoutId, attempts: int, next_check_at: datetime | None) -> None:
        """See the port."""
        values = {"id": checkout_id, "attempts": attempts, "next_check_at": next_check_at}
        await self._connection.execute(_SCHEDULE, values)

    async def check_attempts(self, checkout_id: CheckoutId) -> int:
        """See the port."""
        return int(await self._connection.scalar(_ATTEMPTS, {"id": checkout_id}) or 0)

    async def due_for_check(self, at: datetime, limit: int) -> tuple[CheckoutId, ...]:
        """See the port."""
        found = await self._connection.scalars(_DUE, {"at": at, "limit": limit})
        return tuple(CheckoutId(checkout_id) for checkout_id in found)

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> Checkout | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return _checkout(row) if row else None

    async def _ref(self, statement: TextClause, values: Mapping[str, Any]) -> CheckoutRef | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return CheckoutRef(CheckoutId(row.id), CartId(row.cart_id)) if row else None


def line_record(line: CheckoutLine) -> dict[str, Any]:
    """The line as its row's columns."""
    return {
        "position": line.position,
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "designer_id": line.designer_id,
        "sku": line.sku,
        "title": line.title,
        "options": dict(line.options),
        "quantity": line.quantity,
        "unit_price_minor": line.unit_price.amount_minor,
        "hsn_code": line.hsn_code,
        "gst_basis_points": line.gst_basis_points,
        "designer_gstin": line.designer_gstin,
        "commission_basis_points": line.commission_basis_points,
    }


def _checkout(row: Row) -> Checkout:
    # By subscript: attributes of a row are found only after the search for a real one has failed.
    currency = row["currency"]
    return Checkout(
        id=CheckoutId(row["id"]),
        cart_id=CartId(row["cart_id"]),
        customer_id=UserId(row["customer_id"]),
        state=CheckoutState(row["state"]),
        content_digest=row["content_digest"],
        lines=tuple(_line(line, currency) for line in row["lines"]),
        shipping=Money(row["shipping_minor"], currency),
        address=to_address(row["address"]),
        gateway_order_id=row["gateway_order_id"],
        created_at=row["created_at"],
        pay_before=row["pay_before"],
        hold_until=row["hold_until"],
        order_id=OrderId(row["order_id"]) if row["order_id"] else None,
    )


def _line(line: Mapping[str, Any], currency: str) -> CheckoutLine:
    return CheckoutLine(
        position=line["position"],
        variant_id=VariantId(UUID(line["variant_id"])),
        product_id=ProductId(UUID(line["product_id"])),
        designer_id=DesignerId(UUID(line["designer_id"])),
        sku=line["sku"],
        title=line["title"],
        options=line["options"],
        quantity=line["quantity"],
        unit_price=Money(line["unit_price_minor"], currency),
        hsn_code=line["hsn_code"],
        gst_basis_points=line["gst_basis_points"],
        designer_gstin=line["designer_gstin"],
        commission_basis_points=line["commission_basis_points"],
    )
