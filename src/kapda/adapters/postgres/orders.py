"""Orders in PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.json_columns import address_json, to_address, to_json
from kapda.adapters.postgres.payments import PAYMENT_COLUMNS, PAYMENT_WITH_ORDER, to_payment
from kapda.adapters.postgres.writes import Write
from kapda.domain.orders.order import HistoryEntry, Order, OrderLine, OrderState, OrderSummary
from kapda.domain.orders.reversal import Returned, Reversal
from kapda.domain.payments.payment import Payment
from kapda.domain.shared.ids import (
    CheckoutId,
    DesignerId,
    OrderId,
    PaymentId,
    ProductId,
    RefundId,
    UserId,
    VariantId,
)
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest

# The columns of a line whose JSON name is their own; money columns end in _minor and share the order's currency.
_LINE_COLUMNS = """position, variant_id, product_id, designer_id, sku, title, options, quantity, unit_price_minor,
    line_total_minor, hsn_code, gst_basis_points, taxable_minor, gst_minor, designer_gstin, commission_basis_points,
    commission_minor, commission_gst_minor, designer_net_minor"""
_NEXT = "'K' || nextval('order_numbers')"
_NEXT_NUMBER = text(f"SELECT {_NEXT}")
_PAYMENT_OR_NUMBER = text(f"""
    SELECT CASE WHEN p.id IS NULL THEN {_NEXT} END AS next_number, {PAYMENT_COLUMNS}
    FROM (SELECT) one LEFT JOIN ({PAYMENT_WITH_ORDER}) ON p.gateway_payment_id = :gateway_payment_id
""")  # noqa: S608  (constants only)
_ADD = Write(f"""
    placed_order AS (
        INSERT INTO orders (id, number, checkout_id, payment_id, customer_id, state, items_total_minor, shipping_minor,
            total_minor, currency, address, delivery_state, version, placed_at)
        VALUES (:id, :number, :checkout_id, :payment_id, :customer_id, :state, :items_total_minor, :shipping_minor,
            :total_minor, :currency, CAST(:address AS jsonb), :delivery_state, :version, :placed_at)
        RETURNING id
    ), placed_lines AS (
        INSERT INTO order_lines (order_id, {_LINE_COLUMNS})
        SELECT placed_order.id, {_LINE_COLUMNS} FROM placed_order, jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (
            position integer, variant_id uuid, product_id uuid, designer_id uuid, sku text, title text, options jsonb,
            quantity integer, unit_price_minor bigint, line_total_minor bigint, hsn_code text, gst_basis_points integer,
            taxable_minor bigint, gst_minor bigint, designer_gstin text, commission_basis_points integer,
            commission_minor bigint, commission_gst_minor bigint, designer_net_minor bigint)
    ), placed_history AS (
        INSERT INTO order_history (order_id, sequence, state, reason, actor, created_at)
        SELECT placed_order.id, h.sequence, h.state, h.reason, h.actor, h.created_at
        FROM placed_order, jsonb_to_recordset(CAST(:history AS jsonb)) AS h (
            sequence integer, state text, reason text, actor text, created_at timestamptz)
    )
""")  # noqa: S608  (constants only)
_SELECT = """
    SELECT o.id, o.number, o.checkout_id, o.payment_id, o.customer_id, o.state, o.shipping_minor, o.currency, o.address,
        o.version, o.placed_at,
        (SELECT json_agg(to_json(l) ORDER BY l.position) FROM order_lines l WHERE l.order_id = o.id) AS lines,
        (SELECT json_agg(to_json(h) ORDER BY h.sequence) FROM order_history h WHERE h.order_id = o.id) AS history
    FROM orders o
"""
_GET = text(f"{_SELECT} WHERE id = :id AND (CAST(:customer_id AS uuid) IS NULL OR customer_id = :customer_id)")
_FIND_ALL = text(f"{_SELECT} WHERE id = ANY (CAST(:ids AS uuid[]))")
_OF_CHECKOUT = text(f"{_SELECT} WHERE checkout_id = :checkout_id")
_LOCK = text("""
    SELECT id FROM orders WHERE id = :id AND (CAST(:customer_id AS uuid) IS NULL OR customer_id = :customer_id)
    FOR NO KEY UPDATE
""")
_SAVE = text("""
    WITH saved AS (UPDATE orders SET state = :state, version = :version WHERE id = :id RETURNING id)
    INSERT INTO order_history (order_id, sequence, state, reason, actor, created_at)
    SELECT id, :sequence, :state, :reason, :actor, :at FROM saved
""")
_RETURNED = text("""
    SELECT coalesce((SELECT sum(shipping_minor) FROM order_reversals WHERE order_id = :id), 0) AS shipping_minor,
        (SELECT currency FROM orders WHERE id = :id) AS currency,
        coalesce((SELECT json_object_agg(position, pieces) FROM (
            SELECT position, sum(quantity) AS pieces FROM order_reversal_lines WHERE order_id = :id GROUP BY position
        ) l), '{}') AS pieces
""")
_ADD_REVERSAL = text("""
    WITH added AS (
        INSERT INTO order_reversals (refund_id, order_id, shipping_minor)
        VALUES (:refund_id, :order_id, :shipping_minor) RETURNING refund_id, order_id
    )
    INSERT INTO order_reversal_lines (refund_id, order_id, position, quantity, amount_minor, designer_net_minor,
        commission_minor, commission_gst_minor)
    SELECT added.refund_id, added.order_id, l.position, l.quantity, l.amount_minor, l.designer_net_minor,
        l.commission_minor, l.commission_gst_minor
    FROM added, jsonb_to_recordset(CAST(:lines AS jsonb)) AS l (position integer, quantity integer, amount_minor bigint,
        designer_net_minor bigint, commission_minor bigint, commission_gst_minor bigint)
""")
# Without a cursor it begins above every id there is: one comparison that a plan made once can look up in the index.
_LIST = text("""
    SELECT o.id, o.number, o.state, o.total_minor, o.currency, o.placed_at, l.item_count, l.first_title
    FROM orders o CROSS JOIN LATERAL (
        SELECT sum(quantity) AS item_count, min(title) FILTER (WHERE position = 1) AS first_title
        FROM order_lines WHERE order_id = o.id
    ) l
    WHERE o.customer_id = :customer_id
        AND o.id < coalesce(CAST(:before AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ORDER BY o.id DESC LIMIT :limit
""")


class PostgresOrders:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_number(self) -> str:
        """See the port."""
        return str((await self._connection.execute(_NEXT_NUMBER)).scalar_one())

    async def payment_or_number(self, gateway_payment_id: str) -> Payment | str:
        """See the port."""
        values = {"gateway_payment_id": gateway_payment_id}
        row = (await self._connection.execute(_PAYMENT_OR_NUMBER, values)).one()
        number: str | None = row["next_number"]
        return number if number is not None else to_payment(row)

    async def add(self, order: Order) -> None:
        """See the port."""
        await self._connection.write(
            _ADD,
            {
                "id": order.id,
                "number": order.number,
                "checkout_id": order.checkout_id,
                "payment_id": order.payment_id,
                "customer_id": order.customer_id,
                "state": order.state.value,
                "items_total_minor": order.items_total.amount_minor,
                "shipping_minor": order.shipping.amount_minor,
                "total_minor": order.total.amount_minor,
                "currency": order.total.currency,
                "address": address_json(order.address),
                "delivery_state": order.address.state_code,
                "version": order.version,
                "placed_at": order.placed_at,
                "lines": to_json([_line_record(line) for line in order.lines]),
                "history": to_json(
                    [
                        {
                            "sequence": sequence,
                            "state": step.state.value,
                            "reason": step.reason,
                            "actor": step.actor,
                            "created_at": step.at,
                        }
                        for sequence, step in enumerate(order.history, start=1)
                    ]
                ),
            },
        )

    async def get(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        """See the port."""
        return await self._one(_GET, {"id": order_id, "customer_id": customer_id})

    async def find_all(self, order_ids: Collection[OrderId]) -> Collection[Order]:
        """See the port."""
        return [_order(row) for row in await self._connection.execute(_FIND_ALL, {"ids": list(order_ids)})]

    async def lock(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        """See the port. Read after the lock is held."""
        if await self._connection.scalar(_LOCK, {"id": order_id, "customer_id": customer_id}) is None:
            return None
        return await self.get(order_id, None)

    async def save(self, order: Order) -> None:
        """See the port."""
        step = order.history[-1]
        await self._connection.execute(
            _SAVE,
            {
                "id": order.id,
                "state": order.state.value,
                "version": order.version,
                "sequence": len(order.history),
                "reason": step.reason,
                "actor": step.actor,
                "at": step.at,
            },
        )

    async def returned(self, order_id: OrderId) -> Returned:
        """See the port."""
        row = (await self._connection.execute(_RETURNED, {"id": order_id})).one()
        pieces = {int(position): int(quantity) for position, quantity in row.pieces.items()}
        return Returned(pieces, Money(int(row.shipping_minor), row.currency))

    async def add_reversal(self, order_id: OrderId, refund_id: RefundId, reversal: Reversal) -> None:
        """See the port."""
        lines = [
            {
                "position": line.position,
                "quantity": line.quantity,
                "amount_minor": line.amount.amount_minor,
                "designer_net_minor": line.designer_net.amount_minor,
                "commission_minor": line.commission.amount_minor,
                "commission_gst_minor": line.commission_gst.amount_minor,
            }
            for line in reversal.lines
        ]
        await self._connection.execute(
            _ADD_REVERSAL,
            {
                "refund_id": refund_id,
                "order_id": order_id,
                "shipping_minor": reversal.shipping.amount_minor,
                "lines": to_json(lines),
            },
        )

    async def of_checkout(self, checkout_id: CheckoutId) -> Order | None:
        """See the port."""
        return await self._one(_OF_CHECKOUT, {"checkout_id": checkout_id})

    async def list(self, customer_id: UserId, page: PageRequest) -> Page[OrderSummary]:
        """See the port."""
        before = UUID(page.cursor[0]) if page.cursor else None
        values = {"customer_id": customer_id, "before": before, "limit": page.size + 1}
        rows = await self._connection.execute(_LIST, values)
        return Page.cut([_summary(row) for row in rows], page, lambda order: (str(order.id),))

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> Order | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return _order(row) if row else None


def _line_record(line: OrderLine) -> dict[str, Any]:
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
        "line_total_minor": line.line_total.amount_minor,
        "hsn_code": line.hsn_code,
        "gst_basis_points": line.gst_basis_points,
        "taxable_minor": line.taxable.amount_minor,
        "gst_minor": line.gst.amount_minor,
        "designer_gstin": line.designer_gstin,
        "commission_basis_points": line.commission_basis_points,
        "commission_minor": line.commission.amount_minor,
        "commission_gst_minor": line.commission_gst.amount_minor,
        "designer_net_minor": line.designer_net.amount_minor,
    }


def _order(row: Row) -> Order:
    return Order(
        id=OrderId(row["id"]),
        number=row["number"],
        checkout_id=CheckoutId(row["checkout_id"]),
        payment_id=PaymentId(row["payment_id"]),
        customer_id=UserId(row["customer_id"]),
        state=OrderState(row["state"]),
        lines=tuple(_line(line, row["currency"]) for line in row["lines"]),
        shipping=Money(row["shipping_minor"], row["currency"]),
        address=to_address(row["address"]),
        history=tuple(
            HistoryEntry(
                OrderState(step["state"]), datetime.fromisoformat(step["created_at"]), step["reason"], step["actor"]
            )
            for step in row["history"]
        ),
        version=row["version"],
        placed_at=row["placed_at"],
    )


def _line(line: Mapping[str, Any], currency: str) -> OrderLine:
    return OrderLine(
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
        taxable=Money(line["taxable_minor"], currency),
        gst=Money(line["gst_minor"], currency),
        designer_gstin=line["designer_gstin"],
        commission_basis_points=line["commission_basis_points"],
        commission=Money(line["commission_minor"], currency),
        commission_gst=Money(line["commission_gst_minor"], currency),
        designer_net=Money(line["designer_net_minor"], currency),
    )


def _summary(row: Row) -> OrderSummary:
    return OrderSummary(
        id=OrderId(row.id),
        number=row.number,
        state=OrderState(row.state),
        total=Money(row.total_minor, row.currency),
        item_count=row.item_count,
        first_title=row.first_title,
        placed_at=row.placed_at,
    )
