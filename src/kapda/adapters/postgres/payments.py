"""Payments and foreign payments in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.writes import Write
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.shared.ids import CheckoutId, OrderId, PaymentId, UserId
from kapda.domain.shared.money import Money

_ADD = Write("""
    payment AS (
        INSERT INTO payments (id, checkout_id, gateway_payment_id, gateway_order_id, state, amount_minor, currency,
            method, captured_at)
        VALUES (:id, :checkout_id, :gateway_payment_id, :gateway_order_id, :state, :amount_minor, :currency, :method,
            :captured_at)
    )
""")
PAYMENT_COLUMNS = """
    p.id, p.checkout_id, p.gateway_payment_id, p.gateway_order_id, p.state, p.amount_minor, p.currency, p.method,
        p.refund_reserved_minor, p.refunded_minor, p.captured_at, o.id AS order_id
"""
PAYMENT_WITH_ORDER = "payments p LEFT JOIN orders o ON o.payment_id = p.id"
_SELECT = f"SELECT {PAYMENT_COLUMNS} FROM {PAYMENT_WITH_ORDER}"  # noqa: S608  (constants only)
_BY_GATEWAY_ID = text(f"{_SELECT} WHERE p.gateway_payment_id = :gateway_payment_id")
_GET = text(f"""
    {_SELECT} JOIN checkouts c ON c.id = p.checkout_id
    WHERE p.id = :id AND (CAST(:customer_id AS uuid) IS NULL OR c.customer_id = :customer_id)
""")
_LOCK = text("SELECT id FROM payments WHERE id = :id FOR NO KEY UPDATE")
# The constraint behind it says the same; the condition makes a refusal an answer instead of an error.
_RESERVE_REFUND = text("""
    UPDATE payments SET refund_reserved_minor = refund_reserved_minor + :amount_minor
    WHERE id = :id AND refund_reserved_minor + :amount_minor <= amount_minor RETURNING true
""")
_RELEASE_REFUND = text("""
    UPDATE payments SET refund_reserved_minor = refund_reserved_minor - :amount_minor WHERE id = :id
""")
_NOTE_REFUNDED = text("""
    UPDATE payments SET refunded_minor = refunded_minor + :amount_minor,
        state = CASE WHEN refunded_minor + :amount_minor = amount_minor THEN 'refunded' ELSE state END
    WHERE id = :id
""")
_NOTE_RETURNED = text("""
    UPDATE payments SET refunded_minor = refunded_minor - :amount_minor, state = 'captured' WHERE id = :id
""")
_KNOWN = text("""
    SELECT gateway_payment_id FROM payments WHERE gateway_payment_id = ANY(CAST(:ids AS text[]))
    UNION ALL SELECT gateway_payment_id FROM foreign_payments WHERE gateway_payment_id = ANY(CAST(:ids AS text[]))
""")
_NOTE_FOREIGN = text("""
    INSERT INTO foreign_payments (gateway_payment_id, gateway_order_id, amount_minor, currency, seen_at)
    VALUES (:gateway_payment_id, :gateway_order_id, :amount_minor, :currency, :seen_at) ON CONFLICT DO NOTHING
""")


class PostgresPayments:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, payment: Payment) -> None:
        """See the port."""
        await self._connection.write(
            _ADD,
            {
                "id": payment.id,
                "checkout_id": payment.checkout_id,
                "gateway_payment_id": payment.gateway_payment_id,
                "gateway_order_id": payment.gateway_order_id,
                "state": payment.state.value,
                "amount_minor": payment.amount.amount_minor,
                "currency": payment.amount.currency,
                "method": payment.method,
                "captured_at": payment.captured_at,
            },
        )

    async def by_gateway_id(self, gateway_payment_id: str) -> Payment | None:
        """See the port."""
        values = {"gateway_payment_id": gateway_payment_id}
        row = (await self._connection.execute(_BY_GATEWAY_ID, values)).one_or_none()
        return to_payment(row) if row else None

    async def get(self, payment_id: PaymentId, customer_id: UserId | None) -> Payment | None:
        """See the port."""
        row = (await self._connection.execute(_GET, {"id": payment_id, "customer_id": customer_id})).one_or_none()
        return to_payment(row) if row else None

    async def lock(self, payment_id: PaymentId) -> Payment | None:
        """See the port."""
        if await self._connection.scalar(_LOCK, {"id": payment_id}) is None:
            return None
        return await self.get(payment_id, None)

    async def reserve_refund(self, payment_id: PaymentId, amount: Money) -> bool:
        """See the port."""
        values = {"id": payment_id, "amount_minor": amount.amount_minor}
        return bool(await self._connection.scalar(_RESERVE_REFUND, values))

    async def release_refund(self, payment_id: PaymentId, amount: Money) -> None:
        """See the port."""
        await self._connection.execute(_RELEASE_REFUND, {"id": payment_id, "amount_minor": amount.amount_minor})

    async def note_refunded(self, payment_id: PaymentId, amount: Money) -> None:
        """See the port."""
        await self._connection.execute(_NOTE_REFUNDED, {"id": payment_id, "amount_minor": amount.amount_minor})

    async def note_returned(self, payment_id: PaymentId, amount: Money) -> None:
        """See the port."""
        await self._connection.execute(_NOTE_RETURNED, {"id": payment_id, "amount_minor": amount.amount_minor})

    async def known(self, gateway_payment_ids: Sequence[str]) -> frozenset[str]:
        """See the port."""
        return frozenset(await self._connection.scalars(_KNOWN, {"ids": list(gateway_payment_ids)}))

    async def note_foreign(self, payment: GatewayPayment, at: datetime) -> None:
        """See the port."""
        await self._connection.execute(
            _NOTE_FOREIGN,
            {
                "gateway_payment_id": payment.id,
                "gateway_order_id": payment.order_id,
                "amount_minor": payment.amount.amount_minor,
                "currency": payment.amount.currency,
                "seen_at": at,
            },
        )


def to_payment(row: Row) -> Payment:
    """The payment of PAYMENT_COLUMNS."""
    return Payment(
        id=PaymentId(row["id"]),
        checkout_id=CheckoutId(row["checkout_id"]),
        gateway_payment_id=row["gateway_payment_id"],
        gateway_order_id=row["gateway_order_id"],
        state=PaymentState(row["state"]),
        amount=Money(row["amount_minor"], row["currency"]),
        method=row["method"],
        captured_at=row["captured_at"],
        refund_reserved=Money(row["refund_reserved_minor"], row["currency"]),
        refunded=Money(row["refunded_minor"], row["currency"]),
        order_id=OrderId(row["order_id"]) if row["order_id"] else None,
    )
