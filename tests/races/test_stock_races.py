"""Buyers of the same pieces, at the same instant."""

import asyncio
import itertools
from functools import partial

from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CheckoutId, VariantId
from tests.fakes.samples import rupees
from tests.shop.buyer import Buyer, new_buyers, settle
from tests.shop.gate import at_once
from tests.shop.shop import Shop, new_request

# What a buyer may hear who comes too late: the cart already says so, or the hold does.
TOO_LATE = {Reason.INSUFFICIENT_STOCK, Reason.CART_CHANGED}


async def test_f1_fifty_buyers_of_the_last_piece_make_one_order(shop: Shop) -> None:
    last = await shop.variant(pieces=1)
    buyers = await new_buyers(shop, 50)
    for buyer in buyers:
        await buyer.add(last)

    outcomes = await at_once([partial(buyer.start, rupees(1_000)) for buyer in buyers])

    assert len(outcomes.answers) == 1
    assert outcomes.reasons.total() == 49
    assert set(outcomes.reasons) <= TOO_LATE
    assert await shop.level(last) == (1, 1)
    (winner,) = [buyer for buyer in buyers if buyer.id == outcomes.answers[0].value.customer_id]
    checkout = outcomes.answers[0].value
    await winner.place(checkout, await winner.pay(checkout))
    assert await shop.level(last) == (0, 0)
    assert await shop.count("order_lines WHERE variant_id = :id", id=last) == 1


async def test_f2_a_payment_between_hold_and_order_never_meets_stock_that_is_gone(shop: Shop) -> None:
    few = await shop.variant(pieces=3)
    buyers = await new_buyers(shop, 12)
    for buyer in buyers:
        await buyer.add(few)

    async def buy(buyer: Buyer) -> str:
        checkout = (await buyer.start(rupees(1_000))).value
        triple = await buyer.pay(checkout)
        return (await buyer.place(checkout, triple)).value.number

    outcomes = await at_once([partial(buy, buyer) for buyer in buyers])

    assert len(set(outcomes.answers)) == 3
    assert set(outcomes.reasons) <= TOO_LATE
    assert await shop.level(few) == (0, 0)


async def test_f3_lines_of_one_variant_are_one_line_whose_sum_is_checked(shop: Shop) -> None:
    last = await shop.variant(pieces=1)
    (buyer,) = await new_buyers(shop, 1)

    outcomes = await at_once([partial(buyer.add, last) for _ in range(8)])

    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.INSUFFICIENT_STOCK: 7}
    assert [line.quantity for line in (await buyer.cart()).lines] == [1]


async def test_f3_two_carts_of_two_never_hold_more_than_three_pieces(shop: Shop) -> None:
    three = await shop.variant(pieces=3)
    buyers = await new_buyers(shop, 2)
    for buyer in buyers:
        await buyer.add(three, 2)

    outcomes = await at_once([partial(buyer.start, rupees(2_000)) for buyer in buyers])

    assert len(outcomes.answers) == 1
    assert set(outcomes.reasons) <= TOO_LATE
    assert await shop.level(three) == (3, 2)


async def test_f3_quantities_changed_during_checkouts_hold_what_the_checkouts_say(shop: Shop) -> None:
    six = await shop.variant(pieces=6, limit=6)
    buyers = await new_buyers(shop, 4)
    for buyer in buyers:
        await buyer.add(six)

    async def change_and_check_out(buyer: Buyer, quantity: int) -> None:
        await buyer.change(six, quantity)
        await buyer.start(rupees(1_000 * 6))

    await at_once([partial(change_and_check_out, buyer, quantity) for buyer in buyers for quantity in (1, 2, 3)])

    _, held = await shop.level(six)
    (live,) = await shop.sql(
        """SELECT coalesce(sum(l.quantity), 0) AS pieces FROM checkouts c JOIN checkout_lines l ON l.checkout_id = c.id
           WHERE c.state IN ('opening', 'open') AND l.variant_id = :id""",
        id=six,
    )
    assert held == live["pieces"] <= 6


async def test_f9_opposite_carts_superseding_placing_and_expiring_never_deadlock(shop: Shop) -> None:
    a, b, c = await shop.variants(3, pieces=500, rupees=500)
    buyers = await new_buyers(shop, 24)
    baskets = itertools.cycle([(a, b), (b, a), (b, c, a), (c, b)])

    async def shopping(buyer: Buyer, basket: tuple[VariantId, ...], round_: int) -> None:
        for variant in basket:
            await buyer.add(variant)
        first = await buyer.check_out()
        await buyer.add(basket[-1])
        second = await buyer.check_out()
        assert second.id != first.id
        if round_ % 3 == 0:
            await buyer.place(second, await buyer.pay(second))
        elif round_ % 3 == 1:
            await _run_out(shop, second.id)
        else:
            await buyer.abandon(second.id)

    outcomes = await at_once(
        [partial(shopping, buyer, next(baskets), number) for number, buyer in enumerate(buyers)]
        + [partial(_count_shelves, shop, [a, b, c]) for _ in range(4)]
    )

    assert not outcomes.refusals
    placed = "orders WHERE id IN (SELECT order_id FROM order_lines WHERE variant_id = ANY(:ids))"
    assert await shop.count(placed, ids=[a, b, c]) == 8


async def _run_out(shop: Shop, checkout_id: CheckoutId) -> None:
    """Time passes for one checkout, and two workers look at it at once."""
    await shop.sql(
        """UPDATE checkouts SET created_at = created_at - interval '1 hour', pay_before = pay_before - interval '1 hour',
           hold_until = hold_until - interval '1 hour' WHERE id = :id""",
        id=checkout_id,
    )
    await asyncio.gather(settle(shop, checkout_id), settle(shop, checkout_id))


async def _count_shelves(shop: Shop, variants: list[VariantId]) -> None:
    admin = await shop.admin()
    for variant in reversed(variants):
        await shop.door().receive_stock().execute(ReceiveStockCommand(admin, new_request(), variant, 5, "delivery"))
        command = AdjustStockCommand(admin, new_request(), variant, -1, "moth", None)
        await shop.door().adjust_stock().execute(command)


async def test_a_shelf_counted_down_during_checkouts_never_goes_below_what_is_held(shop: Shop) -> None:
    ten = await shop.variant(pieces=10)
    buyers = await new_buyers(shop, 10)
    for buyer in buyers:
        await buyer.add(ten)
    admin = await shop.admin()

    async def lose_one() -> None:
        command = AdjustStockCommand(admin, new_request(), ten, -1, "moth", None)
        await shop.door().adjust_stock().execute(command)

    async def start(buyer: Buyer) -> None:
        await buyer.start(rupees(1_000))

    outcomes = await at_once(
        [call for buyer in buyers for call in (partial(start, buyer), lose_one)],
    )

    on_hand, held = await shop.level(ten)
    assert 0 <= held <= on_hand
    assert len(outcomes.answers) == 10
    assert set(outcomes.reasons) <= TOO_LATE
