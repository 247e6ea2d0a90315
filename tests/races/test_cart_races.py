"""One cart, edited from many tabs at once."""

from functools import partial

from kapda.domain.cart.cart import MAX_LINES
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.gate import at_once
from tests.shop.shop import Shop, new_request


async def _quantities(buyer: Buyer) -> dict[VariantId, int]:
    return {line.variant_id: line.quantity for line in (await buyer.cart()).lines}


async def test_parallel_adds_of_one_variant_stop_at_the_products_limit(shop: Shop) -> None:
    variant, buyer = await shop.variant(pieces=100, limit=5), await new_buyer(shop)

    outcomes = await at_once([partial(buyer.add, variant) for _ in range(12)])

    assert outcomes.reasons == {Reason.QUANTITY_LIMIT_EXCEEDED: 7}
    assert await _quantities(buyer) == {variant: 5}


async def test_parallel_adds_of_one_variant_stop_at_the_stock(shop: Shop) -> None:
    variant, buyer = await shop.variant(pieces=3, limit=10), await new_buyer(shop)

    outcomes = await at_once([partial(buyer.add, variant, 2) for _ in range(6)])

    assert outcomes.reasons == {Reason.INSUFFICIENT_STOCK: 5}
    assert await _quantities(buyer) == {variant: 2}


async def test_the_fifty_first_line_is_refused_whoever_comes_first(shop: Shop) -> None:
    variants, buyer = await shop.variants(MAX_LINES + 4), await new_buyer(shop)
    for variant in variants[: MAX_LINES - 2]:
        await buyer.add(variant)

    outcomes = await at_once([partial(buyer.add, variant) for variant in variants[MAX_LINES - 2 :]])

    assert outcomes.reasons == {Reason.CART_LINE_LIMIT_EXCEEDED: 4}
    lines = (await buyer.cart()).lines
    assert len(lines) == MAX_LINES
    more = await at_once([partial(buyer.add, lines[0].variant_id)])
    assert not more.refusals, "a full cart still takes more of what is in it"


async def test_a_first_cart_made_by_many_tabs_is_one_cart_with_everything_in_it(shop: Shop) -> None:
    variants, buyer = await shop.variants(10), await new_buyer(shop)

    outcomes = await at_once([partial(buyer.add, variant) for variant in variants])

    assert not outcomes.refusals
    assert await shop.count("carts WHERE customer_id = :id", id=buyer.id) == 1
    cart = await buyer.cart()
    assert await _quantities(buyer) == dict.fromkeys(variants, 1)
    assert cart.version == 10
    # Whoever waited for the others answers with what they put in, too.
    seen = {(answer.value.version, len(answer.value.lines)) for answer in outcomes.answers}
    assert seen == {(number, number) for number in range(1, 11)}


async def test_an_add_sent_twice_by_an_impatient_tab_adds_once(shop: Shop) -> None:
    variant, buyer = await shop.variant(pieces=50), await new_buyer(shop)
    clicks = [new_request() for _ in range(5)]

    outcomes = await at_once([partial(buyer.add, variant, 1, click) for click in clicks * 3])

    assert not outcomes.refusals
    assert await _quantities(buyer) == {variant: 5}


async def test_clearing_adding_and_changing_at_once_leave_what_some_order_of_them_would(shop: Shop) -> None:
    variant, buyer = await shop.variant(pieces=50), await new_buyer(shop)
    await buyer.add(variant)

    async def clear() -> None:
        await shop.door().clear_cart().execute(ClearCartCommand(buyer.owner, new_request()))

    async def add() -> None:
        await buyer.add(variant, 2)

    async def change() -> None:
        await buyer.change(variant, 7)

    outcomes = await at_once([clear, add, change])

    assert set(outcomes.reasons) <= {Reason.CART_LINE_NOT_FOUND}
    assert await _quantities(buyer) in ({}, {variant: 2}, {variant: 7}, {variant: 9})
    if outcomes.refusals:
        assert await _quantities(buyer) in ({variant: 2}, {})
