"""Prices, products and orders that change between two steps of a purchase, and what is told of them afterwards."""

import json
from typing import Any

import pytest

from kapda.adapters.redis.event_stream import STREAM
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.samples import rupees
from tests.shop.buyer import new_buyer, new_buyers, settle
from tests.shop.desk import cancel, check_books, customer, poll, refund, refunds_of, run_out
from tests.shop.shop import Shop, new_request
from tests.shop.statements import Statements


async def _reprice(shop: Shop, variant: VariantId, paise: int) -> None:
    await shop.sql("UPDATE variants SET price_minor = :paise WHERE id = :id", id=variant, paise=paise)


async def test_f39_a_price_that_rose_is_sold_only_to_whoever_agrees_to_it(shop: Shop) -> None:
    buyer, variant, request = await new_buyer(shop), await shop.variant(rupees=1_000), new_request()
    await buyer.add(variant, 2)
    await _reprice(shop, variant, 120_050)

    with pytest.raises(FailedPreconditionError) as refused:
        await buyer.start(rupees(2_000), request)

    assert refused.value.reason is Reason.PRICE_CHANGED
    assert (refused.value.metadata["expected_total_minor"], refused.value.metadata["total_minor"]) == (
        "200000",
        "240100",
    )
    assert await shop.level(variant) == (10, 0)
    assert await shop.count("request_log WHERE request_id = :id", id=request) == 0
    checkout = await buyer.check_out()
    # Fixed now: the price may move as it likes.
    await _reprice(shop, variant, 500_000)
    order = (await buyer.place(checkout, await buyer.pay(checkout))).value
    assert order.total.amount_minor == 240_100
    await check_books(shop)


async def test_f39_a_price_that_fell_is_passed_on(shop: Shop) -> None:
    buyer, variant = await new_buyer(shop), await shop.variant(rupees=1_000)
    await buyer.add(variant)
    await _reprice(shop, variant, 80_001)
    checkout = (await buyer.start(rupees(1_000))).value
    order = (await buyer.place(checkout, await buyer.pay(checkout))).value
    assert order.total.amount_minor == 80_001
    await check_books(shop)


CHANGES = {
    "product withdrawn": """UPDATE products SET state = 'archived', title = 'Gone'
        WHERE id = (SELECT product_id FROM variants WHERE id = :id)""",
    "variant taken off": "UPDATE variants SET active = false WHERE id = :id",
    "price and tax class": "UPDATE variants SET price_minor = 999900, hsn_code = '420222' WHERE id = :id",
    "limit lowered": """UPDATE products SET max_quantity_per_line = 1
        WHERE id = (SELECT product_id FROM variants WHERE id = :id)""",
    "designer's terms": """UPDATE designers
        SET commission_basis_points = commission_basis_points + 100, gstin = '27AAACL0000K1ZD'
        WHERE id = (SELECT p.designer_id FROM products p JOIN variants v ON v.product_id = p.id WHERE v.id = :id)""",
    "customer shut out": "UPDATE users SET status = 'disabled' WHERE id = :id",
}


@pytest.mark.parametrize("outcome", ["success", "authorize_only"])
@pytest.mark.parametrize("change", CHANGES)
async def test_f20_what_changes_while_it_is_paid_for_changes_nothing_of_what_was_agreed(
    shop: Shop, change: str, outcome: str
) -> None:
    buyer, variant = await new_buyer(shop), await shop.variant(pieces=2, rupees=1_000)
    checkout = await buyer.checks_out_one(variant, 2)
    (agreed,) = await shop.sql("SELECT * FROM checkout_lines WHERE checkout_id = :id", id=checkout.id)
    await shop.sql(CHANGES[change], id=buyer.id if "users" in CHANGES[change] else variant)
    await buyer.pay(checkout, outcome=outcome)

    await settle(shop, checkout.id)

    (order,) = await shop.sql("SELECT * FROM orders WHERE checkout_id = :id", id=checkout.id)
    (line,) = await shop.sql("SELECT * FROM order_lines WHERE order_id = :id", id=order["id"])
    assert order["total_minor"] == 200_000
    assert {name: line[name] for name in agreed if name != "checkout_id"} == {
        name: value for name, value in agreed.items() if name != "checkout_id"
    }
    assert await shop.level(variant) == (0, 0)
    await check_books(shop)


async def test_f20_with_the_product_withdrawn_and_its_pieces_gone_the_money_goes_back(shop: Shop) -> None:
    late, quick = await new_buyers(shop, 2)
    variant = await shop.variant(pieces=1)
    checkout = await late.checks_out_one(variant)
    await run_out(shop, checkout.id)
    await quick.buys(variant)
    await shop.sql(CHANGES["product withdrawn"], id=variant)
    triple = await late.pay(checkout)

    await poll(shop, checkout.id)

    (refunded,) = await refunds_of(shop, triple["razorpay_payment_id"])
    assert (refunded["state"], refunded["amount_minor"]) == ("processed", 100_000)
    assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 0
    assert await shop.level(variant) == (0, 0)
    await check_books(shop)


async def test_f6_no_open_order_line_is_without_its_stock_and_no_stock_is_kept_for_nobody(shop: Shop) -> None:
    """Asked of the rows themselves, after one of each: bought, expired, given up, superseded, called off, sent back."""
    variants = await shop.variants(6)
    bought, expired, abandoned, superseded, called_off, sent_back = await new_buyers(shop, 6)
    await bought.buys(variants[0], 3)
    await run_out(shop, (await expired.checks_out_one(variants[1])).id)
    await abandoned.abandon((await abandoned.checks_out_one(variants[2])).id)
    await superseded.checks_out_one(variants[3])
    await superseded.checks_out_one(variants[3])
    await cancel(shop, customer(called_off.id), (await called_off.buys(variants[4])).id)
    order = await sent_back.buys(variants[5], 2)
    await refund(shop, await shop.admin(), order.id, (1, 1), restock=True)

    naked = await shop.sql(
        """SELECT l.order_id FROM order_lines l JOIN orders o ON o.id = l.order_id
           WHERE o.state = 'placed' AND (
             SELECT coalesce(-sum(m.on_hand_delta), 0) FROM stock_movements m
             WHERE m.hold_id = o.checkout_id AND m.variant_id = l.variant_id AND m.kind = 'sell') <> l.quantity"""
    )
    assert naked == []
    orphans = await shop.sql(
        """SELECT hold_id FROM stock_holds h WHERE state = 'held' AND NOT EXISTS (
             SELECT FROM checkouts WHERE id = h.hold_id AND state IN ('opening', 'open', 'capturing'))"""
    )
    assert orphans == []
    assert [await shop.level(variant) for variant in variants] == [(7, 0), (10, 0), (10, 0), (10, 2), (10, 0), (9, 0)]
    await check_books(shop)


async def test_f42_an_event_tells_what_was_true_in_its_transaction_whatever_has_changed_since(shop: Shop) -> None:
    alone = Shop(shop.containers[:1], shop.http, shop.catalogue)
    buyer, variant = await new_buyer(alone), await alone.variant(rupees=1_000)
    order = await buyer.buys(variant)
    await _reprice(shop, variant, 700_000)
    await shop.sql("UPDATE products SET title = 'Something else'")
    await cancel(alone, customer(buyer.id), order.id)
    statements = Statements()

    async with statements.of(alone.container):
        assert await alone.container.relay_events().execute() >= 2

    # The mails need to know whom they are for; what is told is read from the outbox alone.
    asked = {word for line in statements for word in line.replace("(", " ").split()}
    assert not asked & {"order_lines", "order_reversals", "products", "variants"}
    entries: Any = await alone.container.redis().xrange(STREAM)
    told = [fields for _, fields in entries if fields["aggregate"] == str(order.id)]
    assert [fields["type"] for fields in told] == ["order.placed", "order.cancelled"]
    written = await shop.sql(
        "SELECT payload FROM outbox_events WHERE aggregate_id = :id ORDER BY sequence", id=order.id
    )
    assert [json.loads(fields["payload"]) for fields in told] == [row["payload"] for row in written]
    assert json.loads(told[0]["payload"])["total_minor"] == 100_000


async def test_f43_of_an_order_that_was_rolled_back_nobody_is_told(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    triple = await buyer.pay(checkout)
    await shop.sql(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"""
    )
    await shop.sql(
        """CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION refuse()"""
    )
    events = await shop.count("outbox_events")
    for _ in range(2):
        with pytest.raises(Exception, match="meanwhile"):
            await buyer.place(checkout, triple)
    assert await shop.count("outbox_events") == events

    await shop.sql("DROP TRIGGER refuse ON orders")
    order = (await buyer.place(checkout, triple)).value
    assert await shop.count("outbox_events WHERE aggregate_id = :id", id=order.id) == 1
    await check_books(shop)
