"""Every check of the promises finds what it is there to find: rows are falsified behind the domain's back, one way each.

The falsifiers work as a superuser with constraints and triggers off, as a bug of ours, a restored backup or a hand in psql
might; each takes back what it did by rolling back, so that one shop serves them all.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kapda.adapters.postgres.promises import CHECKS, MAX_LAG
from kapda.domain.checkout.checkout import Checkout
from kapda.domain.orders.order import Order
from kapda.domain.payments.payment_case import Resolution
from tests.shop.buyer import deliver, new_buyer
from tests.shop.desk import cancel, cases_of, check_books, customer, faults, refund, resolve, send_due
from tests.shop.shop import Row, Shop

# What to do to the rows, by the check that must find it. Parameters are the shop's rows, by name.
FALSE: Mapping[str, str] = {
    "orders without a captured payment of exactly their amount for their own checkout": (
        "UPDATE payments SET amount_minor = amount_minor + 1 WHERE id = :payment"
    ),
    "placed checkouts without their order": "UPDATE checkouts SET state = 'placed' WHERE id = :open_checkout",
    "orders whose lines are not their total": "UPDATE orders SET items_total_minor = 1 WHERE id = :order",
    "variants with counters out of bounds": "UPDATE stock SET held = on_hand + 1 WHERE variant_id = :variant",
    "variants whose counters are not the sums of their movements": (
        "UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = :variant"
    ),
    "variants whose held counter is not the sum of their holds": (
        "UPDATE stock_holds SET quantity = quantity + 1 WHERE hold_id = :open_checkout"
    ),
    "holds that do not fit the state of their checkout": (
        "UPDATE stock_holds SET state = 'released' WHERE hold_id = :open_checkout"
    ),
    "order lines without the sale of their stock": "UPDATE stock_holds SET quantity = 9 WHERE hold_id = :placed_checkout",
    "unpaid checkouts whose hold ran out some minutes ago and is still held": (
        "UPDATE checkouts SET hold_until = now() - interval '10 minutes' WHERE id = :open_checkout"
    ),
    "answered PlaceOrder requests without exactly one order for their checkout": (
        "UPDATE request_log SET resource_id = :nobody WHERE request_id = :placing"
    ),
    "answered StartCheckout requests without their checkout": (
        "UPDATE request_log SET resource_id = :nobody WHERE request_id = :starting"
    ),
    "sales of stock that left the shelf more than once for one hold": """
        INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
        SELECT variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at FROM stock_movements
        WHERE kind = 'sell' AND hold_id = :placed_checkout""",
    "captured payments on no order and in no case": "DELETE FROM payment_cases WHERE id = :open_case",
    "captured payments both on an order and in an open case": (
        "UPDATE payment_cases SET payment_id = :payment WHERE id = :open_case"
    ),
    "deliveries of the gateway forgotten for some minutes": """
        UPDATE gateway_events SET state = 'pending', attempts = 0, received_at = now() - interval '10 minutes',
            next_attempt_at = now() WHERE id = :event""",
    "refunds whose look at the gateway is some minutes overdue": (
        "UPDATE refunds SET next_look_at = now() - interval '10 minutes' WHERE id = :pending_refund"
    ),
    "checkouts whose look at the gateway is some minutes overdue": (
        "UPDATE checkouts SET next_check_at = now() - interval '10 minutes' WHERE id = :open_checkout"
    ),
    "payments with more refunds reserved than captured": (
        "UPDATE payments SET refund_reserved_minor = amount_minor + 1 WHERE id = :payment"
    ),
    "ledger transactions that do not sum to zero": """
        UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE transaction_id = :placed_posting AND position = 1""",
    "orders and cases without exactly one posting of their amount": (
        "UPDATE ledger_transactions SET reference_id = :nobody WHERE id = :placed_posting"
    ),
    "designers' credits that are not the net of their order lines": """
        UPDATE ledger_entries SET account = 'write_offs', designer_id = NULL
        WHERE transaction_id = :placed_posting AND designer_id IS NOT NULL""",
    "payments whose promised or sent refunds are not the sums of their refunds": (
        "UPDATE payments SET refund_reserved_minor = 1 WHERE id = :payment"
    ),
    "refunds owed that the books do not owe, or the other way round": (
        "UPDATE ledger_entries SET account = 'write_offs' WHERE account = 'refunds_payable'"
    ),
    "order lines with more pieces refunded than sold": (
        "UPDATE order_reversal_lines SET quantity = 99 WHERE order_id = :returned_order"
    ),
    "money of the gateway that is neither received nor sent back by the books": (
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE account = 'gateway_receivable'"
    ),
    "sessions revoked before they were made, or by a clock that runs ahead": """
        INSERT INTO sessions (id, user_id, created_at, expires_at, revoked_at)
        VALUES (:nobody, :customer, now(), now() + interval '1 day', now() - interval '1 day')""",
    "sessions that live although their user is not active": """
        WITH user_ AS (UPDATE users SET status = 'disabled' WHERE id = :customer RETURNING id)
        INSERT INTO sessions (id, user_id, created_at, expires_at)
        SELECT :nobody, id, now(), now() + interval '1 day' FROM user_""",
    "sessions for which a refresh token was given out after their end": """
        WITH session AS (
            INSERT INTO sessions (id, user_id, created_at, expires_at, revoked_at)
            VALUES (:nobody, :customer, now() - interval '1 hour', now() + interval '1 day', now() - interval '10 minutes')
            RETURNING id
        ) INSERT INTO refresh_tokens (digest, session_id, issued_at, expires_at)
        SELECT sha256('late'), id, now(), now() + interval '1 day' FROM session""",
    "orders and cases without their event": "UPDATE outbox_events SET type = 'order.lost' WHERE aggregate_id = :order",
    "aggregates whose events have a gap or a wrong head": (
        "UPDATE outbox_heads SET last_sequence = last_sequence + 1 WHERE aggregate_id = :order"
    ),
    "events not sent for some minutes": """
        UPDATE outbox_events SET published_at = NULL, occurred_at = now() - interval '10 minutes'
        WHERE aggregate_id = :order""",
    "events sent before an earlier one of their aggregate": """
        UPDATE outbox_events SET published_at = CASE WHEN sequence = 1 THEN NULL ELSE now() END
        WHERE aggregate_id = :returned_order""",
    "mails whose next try is some minutes overdue": """
        INSERT INTO mails (id, kind, user_id, queued_at, next_attempt_at)
        VALUES (uuidv7(), 'password_changed', :customer, now() - interval '1 hour', now() - interval '10 minutes')""",
}
# Which of the shop's rows the check must name.
NAMED = {
    "placed checkouts without their order": "open_checkout",
    "variants with counters out of bounds": "variant",
    "variants whose counters are not the sums of their movements": "variant",
    "variants whose held counter is not the sum of their holds": "open_variant",
    "holds that do not fit the state of their checkout": "open_checkout",
    "unpaid checkouts whose hold ran out some minutes ago and is still held": "open_checkout",
    "answered PlaceOrder requests without exactly one order for their checkout": "placing",
    "answered StartCheckout requests without their checkout": "starting",
    "sales of stock that left the shelf more than once for one hold": "placed_checkout",
    "captured payments on no order and in no case": "case_payment",
    "captured payments both on an order and in an open case": "payment",
    "deliveries of the gateway forgotten for some minutes": "event",
    "refunds whose look at the gateway is some minutes overdue": "pending_refund",
    "checkouts whose look at the gateway is some minutes overdue": "open_checkout",
    "payments with more refunds reserved than captured": "payment",
    "ledger transactions that do not sum to zero": "placed_posting",
    "designers' credits that are not the net of their order lines": "designer",
    "payments whose promised or sent refunds are not the sums of their refunds": "payment",
    "refunds owed that the books do not owe, or the other way round": "refunds_payable",
    "order lines with more pieces refunded than sold": "returned_order",
    "money of the gateway that is neither received nor sent back by the books": "gateway_receivable",
    "sessions revoked before they were made, or by a clock that runs ahead": "nobody",
    "events sent before an earlier one of their aggregate": "returned_order",
}


@dataclass(frozen=True, slots=True)
class Lived:
    """A shop in which everything has happened once, and its rows by name."""

    shop: Shop
    rows: dict[str, object]


async def _purchases(shop: Shop) -> tuple[Order, Checkout, Order, Row]:
    """An order, an open checkout, an order of which some went back, and a payment the desk has to decide about."""
    kept, browsing, returning, short = [await new_buyer(shop) for _ in range(4)]
    order = await kept.buys(await shop.variant(), 2)
    open_checkout = await browsing.checks_out_one(await shop.variant())
    returned = await returning.buys(await shop.variant(), 3)
    await refund(shop, await shop.admin(), returned.id, (1, 1))
    await send_due(shop)
    async with faults(shop, {"kind": "refund_pending", "then": None, "times": 1}):
        await cancel(shop, customer(returning.id), returned.id)
        await send_due(shop)
    mismatched = await short.checks_out_one(await shop.variant())
    async with faults(shop, {"kind": "paid_amount", "by": -100, "times": 1}):
        await deliver(shop, triple := await short.pay(mismatched))
    (case,) = await cases_of(shop, triple["razorpay_payment_id"])
    return order, open_checkout, returned, case


@pytest.fixture(scope="module")
async def lived(shop: Shop) -> AsyncIterator[Lived]:
    """The one shop of this module."""
    order, open_checkout, returned, case = await _purchases(shop)

    async def one(statement: str, **values: object) -> object:
        (row, *_) = await shop.sql(statement, **values)
        return next(iter(row.values()))

    log = "SELECT request_id FROM request_log WHERE resource_id = :id AND method = :method"
    rows: dict[str, object] = {
        "order": order.id,
        "payment": order.payment_id,
        "customer": order.customer_id,
        "variant": order.lines[0].variant_id,
        "designer": order.lines[0].designer_id,
        "placed_checkout": order.checkout_id,
        "open_checkout": open_checkout.id,
        "open_variant": open_checkout.lines[0].variant_id,
        "returned_order": returned.id,
        "open_case": case["id"],
        "case_payment": case["payment_id"],
        "nobody": uuid4(),
        "placing": await one(log, id=order.checkout_id, method="PlaceOrder"),
        "starting": await one(log, id=open_checkout.id, method="StartCheckout"),
        "event": await one("SELECT id FROM gateway_events"),
        "pending_refund": await one("SELECT id FROM refunds WHERE state = 'pending'"),
        "placed_posting": await one("SELECT id FROM ledger_transactions WHERE reference_id = :id", id=order.id),
        "refunds_payable": "refunds_payable",
        "gateway_receivable": "gateway_receivable",
    }
    await check_books(shop)
    yield Lived(shop, rows)
    await resolve(shop, await shop.admin(), UUID(str(case["id"])), Resolution.REFUND)
    await send_due(shop)
    await check_books(shop)


async def _broken(connection: AsyncConnection) -> dict[str, list[str]]:
    """What every check finds, as this transaction sees the rows."""
    found = {}
    for check in CHECKS:
        row = (await connection.execute(check.statement(), {"lag": datetime.now(UTC) - MAX_LAG})).one()
        assert bool(row.violations) == bool(row.samples)
        if row.violations:
            found[check.name] = list(row.samples)
    return found


def test_every_check_has_its_falsification() -> None:
    assert set(FALSE) == {check.name for check in CHECKS}
    assert len(FALSE) == len(CHECKS)


@pytest.mark.parametrize("name", list(FALSE))
async def test_a_falsified_row_is_found_and_named(lived: Lived, name: str) -> None:
    async with lived.shop.container.engine().connect() as connection:
        # No triggers and no foreign keys; the CHECK constraints go one by one, as far as they stand in the way.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for constraint in await connection.scalars(text(_OWN_CHECKS)):
            await connection.execute(text(constraint))
        statement = text(FALSE[name])
        used = {key: value for key, value in lived.rows.items() if key in statement.compile().params}
        changed = (await connection.execute(statement, used)).rowcount
        found = await _broken(connection)
        await connection.rollback()

    assert changed
    assert name in found
    if name in NAMED:
        assert str(lived.rows[NAMED[name]]) in found[name]


async def test_the_report_says_broken_with_the_sample(lived: Lived) -> None:
    """The same through the use case, on committed rows."""
    shop, variant = lived.shop, lived.rows["variant"]
    await shop.sql("UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = :id", id=variant)
    report = await shop.container.check_promises().execute()
    await shop.sql("UPDATE stock SET on_hand = on_hand - 1 WHERE variant_id = :id", id=variant)
    broken = [result for result in report.results if result.violations]
    assert [(result.number, result.verdict.value, result.samples) for result in broken] == [
        (2, "broken", (str(variant),))
    ]
    assert timedelta(0) <= datetime.now(UTC) - report.checked_at < timedelta(minutes=1)


_OWN_CHECKS = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype IN ('c', 'u') AND conrelid IN ('stock'::regclass, 'payments'::regclass, 'orders'::regclass,
        'refunds'::regclass, 'ledger_entries'::regclass, 'gateway_events'::regclass, 'checkouts'::regclass,
        'stock_holds'::regclass, 'payment_cases'::regclass)
"""
