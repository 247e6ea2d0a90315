"""After the campaign: everything comes to rest, and every answer that was given turns out to be true, once."""

import time
from collections import Counter
from collections.abc import Mapping

from tests.shop.desk import Sums, check_books
from tests.shop.shop import Row, Shop
from tests.shop.wire import Wire, eventually
from tests.torture.diary import Diary

_REST_SECONDS = 90.0
# What nobody is working on any more. `unseen` are checkouts that the poller has not looked at since all became well; a look
# is not over before its job is.
_UNREST = """
    SELECT (SELECT count(*) FROM checkouts WHERE state IN ('opening', 'capturing')) AS undecided,
        (SELECT count(*) FROM checkouts WHERE next_check_at <= now()) AS unseen,
        (SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')) AS jobs,
        (SELECT count(*) FROM refunds WHERE state IN ('requested', 'pending')) AS refunds,
        (SELECT count(*) FROM gateway_events WHERE state = 'pending') AS deliveries,
        (SELECT count(*) FROM outbox_events WHERE published_at IS NULL) AS events
"""
_DUE = (
    """UPDATE checkouts SET next_check_at = now() - interval '1 second', gateway_lease_until = NULL
       WHERE next_check_at IS NOT NULL""",
    "UPDATE refunds SET next_look_at = now() - interval '1 second' WHERE state IN ('requested', 'pending')",
    "UPDATE gateway_events SET next_attempt_at = now() - interval '1 second' WHERE state = 'pending'",
)
_AN_HOUR = """
    UPDATE checkouts SET created_at = created_at - interval '1 hour', pay_before = pay_before - interval '1 hour',
        hold_until = hold_until - interval '1 hour', next_check_at = now() - interval '1 second'
    WHERE state IN ('opening', 'open')
"""


async def comes_to_rest(wire: Wire) -> None:
    """Time passes: whatever is due is looked at until nothing is left to do; then unpaid holds run out."""
    for statement in _DUE:
        await wire.database.execute(statement)
    await _rests(wire)
    await wire.database.execute(_AN_HOUR)
    await _rests(wire)


async def _rests(wire: Wire) -> None:
    seen: dict[str, int] = {}
    again = time.monotonic()

    async def nothing_left() -> bool:
        nonlocal again
        if time.monotonic() > again + 3.0:
            # What is still under way is looked at again without waiting for its next time.
            for statement in _DUE[1:]:
                await wire.database.execute(statement)
            await wire.database.execute(f"{_DUE[0]} AND state IN ('opening', 'capturing')")
            again = time.monotonic()
        seen.update(dict(await wire.database.fetchrow(_UNREST)))
        return not any(seen.values())

    try:
        await eventually(nothing_left, within=_REST_SECONDS)
    except AssertionError as never:
        raise AssertionError(f"never came to rest: {seen}") from never


async def reckon(shop: Shop, diary: Diary, at_first: Mapping[str, int]) -> Sums:
    """Every promise, the books to the paisa, and each answer in the diary against the rows. `at_first` are the pieces
    that were on each shelf."""
    sums = await check_books(shop)
    await _carts_hold_what_was_added_and_not_bought(shop, diary)
    await _shelves_hold_what_came_and_did_not_go(shop, diary, at_first)
    await _every_answer_is_one_effect(shop, diary)
    return sums


async def _carts_hold_what_was_added_and_not_bought(shop: Shop, diary: Diary) -> None:
    expected = Counter(diary.added)
    bought = "SELECT o.customer_id, l.variant_id, l.quantity FROM orders o JOIN order_lines l ON l.order_id = o.id"
    for row in await shop.sql(bought):
        expected[str(row["customer_id"]), str(row["variant_id"])] -= row["quantity"]
    found = {
        (str(row["customer_id"]), str(row["variant_id"])): row["quantity"]
        for row in await shop.sql(
            "SELECT c.customer_id, l.variant_id, l.quantity FROM carts c JOIN cart_lines l ON l.cart_id = c.id"
        )
    }
    assert found == {line: pieces for line, pieces in expected.items() if pieces}


async def _shelves_hold_what_came_and_did_not_go(shop: Shop, diary: Diary, at_first: Mapping[str, int]) -> None:
    expected = Counter({variant: pieces + diary.received[variant] for variant, pieces in at_first.items()})
    expected.update(diary.restocked)
    for row in await shop.sql("SELECT variant_id, sum(quantity) AS n FROM order_lines GROUP BY variant_id"):
        expected[str(row["variant_id"])] -= row["n"]
    called_off = """
        SELECT l.variant_id, sum(v.quantity) AS n FROM refunds r JOIN order_reversal_lines v ON v.refund_id = r.id
        JOIN order_lines l ON l.order_id = v.order_id AND l.position = v.position
        WHERE r.kind = 'order_cancelled' GROUP BY l.variant_id"""
    for row in await shop.sql(called_off):
        expected[str(row["variant_id"])] += row["n"]
    levels = await shop.sql("SELECT * FROM stock WHERE variant_id::text = ANY(:ids)", ids=list(at_first))
    assert {str(row["variant_id"]): row["on_hand"] for row in levels} == dict(expected)
    assert not await shop.sql("SELECT * FROM stock WHERE held <> 0")


async def _every_answer_is_one_effect(shop: Shop, diary: Diary) -> None:
    def told(rows: list[Row], *names: str) -> list[tuple[str, ...]]:
        return sorted(tuple(str(row[name]) for name in names) for row in rows)

    started = {str(row["id"]) for row in await shop.sql("SELECT id FROM checkouts")}
    assert set(diary.started.values()) <= started
    orders = {(str(row["checkout_id"]), str(row["id"])) for row in await shop.sql("SELECT * FROM orders")}
    assert set(diary.placed.values()) <= orders
    cancelled = await shop.sql("SELECT id FROM orders WHERE state = 'cancelled'")
    assert told(cancelled, "id") == sorted((order,) for order in diary.cancelled.values())
    refunds = await shop.sql("SELECT id, order_id FROM refunds WHERE kind = 'order_lines'")
    assert told(refunds, "order_id", "id") == sorted(diary.refunded.values())
    wiped_out = await shop.sql("SELECT order_id FROM refunds WHERE kind = 'order_cancelled'")
    assert len(set(told(wiped_out, "order_id"))) == len(wiped_out)
    # Whoever was told of success at the gateway, whether back in the shop or not: on an order or in a case.
    books = await shop.books()
    captured = {payment["id"] for payment in books["payments"] if payment["captured"]}
    known = {row["gateway_payment_id"] for row in await shop.sql("SELECT gateway_payment_id FROM payments")}
    assert captured == known
