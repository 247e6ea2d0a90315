"""The promises as questions to the rows: each query counts what it looked at and finds what should not be there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.constraint_errors import in_domain_words
from kapda.domain.ops.promises import MAX_SAMPLES, Finding

# How long the worker may take in the worst of ordinary days before lagging work counts as forgotten.
MAX_LAG = timedelta(minutes=5)
# A whole shop is looked at in one go, which takes longer than any statement of a purchase may.
STATEMENT_TIMEOUT = "60s"


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `bad` selects the ids of what breaks the promise, from `among`."""

    promise: int
    name: str
    among: str
    bad: str

    def statement(self) -> TextClause:
        """Counts both and takes some samples; `:lag` is the instant before which lagging work is forgotten work."""
        return text(f"""
            WITH bad AS MATERIALIZED ({self.bad})
            SELECT (SELECT count(*) FROM {self.among}) AS looked_at, (SELECT count(*) FROM bad) AS violations,
                ARRAY(SELECT CAST(id AS text) FROM bad LIMIT {MAX_SAMPLES}) AS samples, CAST(:lag AS timestamptz) AS lag
        """)  # noqa: S608  (constants only)


CHECKS: tuple[Check, ...] = (
    Check(
        1,
        "orders without a captured payment of exactly their amount for their own checkout",
        "orders",
        """SELECT o.id FROM orders o JOIN checkouts c ON c.id = o.checkout_id LEFT JOIN payments p ON p.id = o.payment_id
           WHERE p.id IS NULL OR p.checkout_id <> o.checkout_id OR p.gateway_order_id <> c.gateway_order_id
            OR p.amount_minor <> o.total_minor OR p.currency <> o.currency OR c.total_minor <> o.total_minor
            OR c.state <> 'placed'""",
    ),
    Check(
        1,
        "placed checkouts without their order",
        "checkouts WHERE state = 'placed'",
        """SELECT c.id FROM checkouts c WHERE c.state = 'placed'
           AND NOT EXISTS (SELECT FROM orders WHERE checkout_id = c.id)""",
    ),
    Check(
        1,
        "orders whose lines are not their total",
        "orders",
        """SELECT o.id FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id GROUP BY o.id
           HAVING coalesce(sum(l.line_total_minor), 0) <> o.items_total_minor""",
    ),
    Check(
        2,
        "variants with counters out of bounds",
        "stock",
        "SELECT variant_id AS id FROM stock WHERE held < 0 OR on_hand < held",
    ),
    Check(
        2,
        "variants whose counters are not the sums of their movements",
        "stock",
        """SELECT s.variant_id AS id FROM stock s LEFT JOIN stock_movements m ON m.variant_id = s.variant_id
           GROUP BY s.variant_id HAVING s.on_hand <> coalesce(sum(m.on_hand_delta), 0)
            OR s.held <> coalesce(sum(m.held_delta), 0)""",
    ),
    Check(
        2,
        "variants whose held counter is not the sum of their holds",
        "stock",
        """SELECT s.variant_id AS id FROM stock s
           LEFT JOIN stock_holds h ON h.variant_id = s.variant_id AND h.state = 'held'
           GROUP BY s.variant_id HAVING s.held <> coalesce(sum(h.quantity), 0)""",
    ),
    Check(
        2,
        "holds that do not fit the state of their checkout",
        "stock_holds",
        """SELECT h.hold_id AS id FROM stock_holds h LEFT JOIN checkouts c ON c.id = h.hold_id
           WHERE h.state <> CASE WHEN c.state IN ('opening', 'open', 'capturing') THEN 'held'
            WHEN c.state = 'placed' THEN 'sold' ELSE 'released' END""",
    ),
    Check(
        2,
        "order lines without the sale of their stock",
        "order_lines",
        """SELECT l.order_id AS id FROM order_lines l JOIN orders o ON o.id = l.order_id
           LEFT JOIN stock_holds h ON h.hold_id = o.checkout_id AND h.variant_id = l.variant_id
           WHERE h.state IS DISTINCT FROM 'sold' OR h.quantity <> l.quantity""",
    ),
    Check(
        2,
        "unpaid checkouts whose hold ran out some minutes ago and is still held",
        "checkouts WHERE state IN ('opening', 'open')",
        """SELECT id FROM checkouts WHERE state IN ('opening', 'open')
           AND hold_until < CAST(:lag AS timestamptz)""",
    ),
    Check(
        3,
        "answered PlaceOrder requests without exactly one order for their checkout",
        "request_log WHERE method = 'PlaceOrder' AND answer IS NOT NULL",
        """SELECT r.request_id AS id FROM request_log r WHERE r.method = 'PlaceOrder' AND r.answer IS NOT NULL
           AND (SELECT count(*) FROM orders WHERE checkout_id = r.resource_id) <> 1""",
    ),
    Check(
        3,
        "answered StartCheckout requests without their checkout",
        "request_log WHERE method = 'StartCheckout' AND answer IS NOT NULL",
        """SELECT r.request_id AS id FROM request_log r WHERE r.method = 'StartCheckout' AND r.answer IS NOT NULL
           AND NOT EXISTS (SELECT FROM checkouts WHERE id = r.resource_id)""",
    ),
    Check(
        3,
        "sales of stock that left the shelf more than once for one hold",
        "stock_movements WHERE kind = 'sell'",
        """SELECT hold_id AS id FROM stock_movements WHERE kind = 'sell' GROUP BY hold_id, variant_id HAVING count(*) > 1""",
    ),
    Check(
        4,
        "captured payments on no order and in no case",
        "payments",
        """SELECT p.id FROM payments p WHERE NOT EXISTS (SELECT FROM orders WHERE payment_id = p.id)
           AND NOT EXISTS (SELECT FROM payment_cases WHERE payment_id = p.id AND refund_id IS NULL)""",
    ),
    Check(
        4,
        "captured payments both on an order and in an open case",
        "payments",
        """SELECT p.id FROM payments p JOIN orders o ON o.payment_id = p.id
           JOIN payment_cases c ON c.payment_id = p.id AND c.refund_id IS NULL AND c.state = 'open'""",
    ),
    Check(
        4,
        "deliveries of the gateway forgotten for some minutes",
        "gateway_events",
        """SELECT id FROM gateway_events WHERE state = 'pending' AND attempts = 0
           AND received_at < CAST(:lag AS timestamptz)""",
    ),
    Check(
        4,
        "refunds whose look at the gateway is some minutes overdue",
        "refunds WHERE next_look_at IS NOT NULL",
        "SELECT id FROM refunds WHERE next_look_at < CAST(:lag AS timestamptz)",
    ),
    Check(
        4,
        "checkouts whose look at the gateway is some minutes overdue",
        "checkouts WHERE next_check_at IS NOT NULL",
        "SELECT id FROM checkouts WHERE next_check_at < CAST(:lag AS timestamptz)",
    ),
    Check(
        5,
        "payments with more refunds reserved than captured",
        "payments",
        "SELECT id FROM payments WHERE refund_reserved_minor > amount_minor OR refund_reserved_minor < 0",
    ),
    Check(
        5,
        "ledger transactions that do not sum to zero",
        "ledger_transactions",
        """SELECT transaction_id AS id FROM ledger_entries GROUP BY transaction_id, currency
           HAVING sum(amount_minor) <> 0""",
    ),
    Check(
        5,
        "orders and cases without exactly one posting of their amount",
        "ledger_transactions",
        """SELECT x.id FROM (SELECT id, total_minor AS amount, 'order_placed' AS kind FROM orders
            UNION ALL SELECT id, amount_minor, 'case_opened' FROM payment_cases WHERE refund_id IS NULL) x
           LEFT JOIN ledger_transactions t ON t.kind = x.kind AND t.reference_id = x.id
           LEFT JOIN ledger_entries e ON e.transaction_id = t.id AND e.amount_minor > 0
           GROUP BY x.id, x.amount HAVING coalesce(sum(e.amount_minor), 0) <> x.amount""",
    ),
    Check(
        5,
        "designers' credits that are not the net of their order lines",
        "designers",
        """SELECT d.id FROM designers d WHERE
           coalesce((SELECT -sum(amount_minor) FROM ledger_entries WHERE designer_id = d.id), 0)
            <> coalesce((SELECT sum(designer_net_minor) FROM order_lines WHERE designer_id = d.id), 0)
             - coalesce((SELECT sum(r.designer_net_minor) FROM order_reversal_lines r
                JOIN order_lines l USING (order_id, position) WHERE l.designer_id = d.id), 0)""",
    ),
    Check(
        5,
        "payments whose promised or sent refunds are not the sums of their refunds",
        "payments",
        """SELECT p.id FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id
           LEFT JOIN payment_cases c ON c.refund_id = r.id AND c.kind = 'refund_failed'
           GROUP BY p.id HAVING p.refund_reserved_minor <> coalesce(sum(r.amount_minor)
                FILTER (WHERE r.state <> 'failed' OR c.state = 'open'), 0)
            OR p.refunded_minor <> coalesce(sum(r.amount_minor) FILTER (WHERE r.state = 'processed'), 0)""",
    ),
    Check(
        5,
        "refunds owed that the books do not owe, or the other way round",
        "refunds",
        """SELECT 'refunds_payable' AS id WHERE
           coalesce((SELECT -sum(amount_minor) FROM ledger_entries WHERE account = 'refunds_payable'), 0)
            <> coalesce((SELECT sum(r.amount_minor) FROM refunds r
                LEFT JOIN payment_cases c ON c.refund_id = r.id AND c.kind = 'refund_failed'
                WHERE r.state IN ('requested', 'pending') OR (r.state = 'failed' AND c.state = 'open')), 0)""",
    ),
    Check(
        5,
        "order lines with more pieces refunded than sold",
        "order_reversal_lines",
        """SELECT l.order_id AS id FROM order_lines l JOIN order_reversal_lines r USING (order_id, position)
           GROUP BY l.order_id, l.position HAVING sum(r.quantity) > l.quantity""",
    ),
    Check(
        5,
        "money of the gateway that is neither received nor sent back by the books",
        "payments",
        """SELECT 'gateway_receivable' AS id WHERE
           coalesce((SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'gateway_receivable'), 0)
            <> coalesce((SELECT sum(amount_minor - refunded_minor) FROM payments), 0)""",
    ),
    Check(
        6,
        "sessions revoked before they were made, or by a clock that runs ahead",
        "sessions WHERE revoked_at IS NOT NULL",
        """SELECT id FROM sessions WHERE revoked_at < created_at
           OR revoked_at > CAST(:lag AS timestamptz) + interval '6 minutes'""",
    ),
    Check(
        6,
        "sessions that live although their user is not active",
        "sessions WHERE revoked_at IS NULL",
        """SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id
           WHERE u.status <> 'active' AND s.revoked_at IS NULL AND s.expires_at > CAST(:lag AS timestamptz)""",
    ),
    Check(
        6,
        "sessions for which a refresh token was given out after their end",
        "refresh_tokens",
        # The minute is for two machines' clocks, and for whoever waited for the row.
        """SELECT DISTINCT s.id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
           WHERE t.issued_at > s.revoked_at + interval '1 minute' OR t.issued_at > s.expires_at""",
    ),
    Check(
        7,
        "orders and cases without their event",
        "outbox_events",
        """SELECT x.id FROM (SELECT id, 'order.placed' AS type FROM orders
            UNION ALL SELECT id, 'payment_case.opened' FROM payment_cases WHERE refund_id IS NULL) x
           WHERE NOT EXISTS (SELECT FROM outbox_events e WHERE e.aggregate_id = x.id AND e.type = x.type)""",
    ),
    Check(
        7,
        "aggregates whose events have a gap or a wrong head",
        "outbox_heads",
        """SELECT h.aggregate_id AS id FROM outbox_heads h LEFT JOIN outbox_events e USING (aggregate_id)
           GROUP BY h.aggregate_id HAVING count(e.sequence) <> h.last_sequence OR max(e.sequence) <> h.last_sequence""",
    ),
    Check(
        7,
        "events not sent for some minutes",
        "outbox_events",
        """SELECT aggregate_id AS id FROM outbox_events WHERE published_at IS NULL
           AND occurred_at < CAST(:lag AS timestamptz)""",
    ),
    Check(
        7,
        "events sent before an earlier one of their aggregate",
        "outbox_events",
        """SELECT e.aggregate_id AS id FROM outbox_events e JOIN outbox_events f USING (aggregate_id)
           WHERE f.sequence < e.sequence AND e.published_at IS NOT NULL AND f.published_at IS NULL""",
    ),
    Check(
        7,
        "mails whose next try is some minutes overdue",
        "mails",
        "SELECT id FROM mails WHERE next_attempt_at < CAST(:lag AS timestamptz)",
    ),
)
_STATEMENTS = tuple((check, check.statement()) for check in CHECKS)


class PostgresPromiseAuditor:
    """See the port."""

    def __init__(self, engine: AsyncEngine) -> None:
        # One snapshot for all checks: a purchase between two of them must not look like a broken promise.
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ")

    async def findings(self, now: datetime) -> Sequence[Finding]:
        """See the port."""
        with in_domain_words():
            return await self._ask(now)

    async def _ask(self, now: datetime) -> Sequence[Finding]:
        async with self._engine.connect() as connection:
            await connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
            found = []
            for check, statement in _STATEMENTS:
                row = (await connection.execute(statement, {"lag": now - MAX_LAG})).one()
                found.append(Finding(check.promise, check.name, row.looked_at, row.violations, tuple(row.samples)))
        return found
