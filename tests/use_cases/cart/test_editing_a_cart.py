"""Adding, changing, removing and clearing, once a request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.domain.cart.cart import LIFETIME, MAX_LINES, expiry
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItem, ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCart, ClearCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItem, RemoveItemCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


@pytest.fixture
def change(shop: Shop) -> ChangeItem:
    return ChangeItem(shop.editor, shop.clock)


@pytest.fixture
def remove(shop: Shop) -> RemoveItem:
    return RemoveItem(shop.editor)


@pytest.fixture
def clear(shop: Shop) -> ClearCart:
    return ClearCart(shop.editor)


def adding(shop: Shop, variant: VariantId, quantity: int = 1) -> AddItemCommand:
    return AddItemCommand(CartOwner.of_customer(ASHA), shop.new_request(), variant, quantity)


def changing(shop: Shop, variant: VariantId, quantity: int) -> ChangeItemCommand:
    return ChangeItemCommand(CartOwner.of_customer(ASHA), shop.new_request(), variant, quantity)


async def test_the_first_piece_makes_the_cart(shop: Shop) -> None:
    kurta = shop.stock_variant()
    answer = await shop.add_item.execute(adding(shop, kurta, 2))
    cart = answer.value
    assert [(line.variant_id, line.quantity, line.price_when_added) for line in cart.lines] == [
        (kurta, 2, rupees(1_499))
    ]
    assert (cart.customer_id, cart.total, cart.version, answer.replayed) == (ASHA, rupees(2_998), 1, False)
    assert cart.expires_at == expiry(shop.clock.now(), LIFETIME)


async def test_more_of_the_same_joins_its_line_at_the_price_it_was_made_at(shop: Shop) -> None:
    kurta, saree = shop.stock_variant(), shop.stock_variant()
    await shop.add(kurta)
    await shop.add(saree)
    shop.reprice(kurta, rupees(1_600))
    shop.clock.advance(timedelta(days=1))
    cart = await shop.add(kurta, 2)
    assert [(line.variant_id, line.quantity) for line in cart.lines] == [(kurta, 3), (saree, 1)]
    assert (cart.lines[0].price_when_added, cart.lines[0].unit_price) == (rupees(1_499), rupees(1_600))
    assert (cart.version, cart.expires_at) == (3, expiry(shop.clock.now(), LIFETIME))


async def test_an_add_sent_twice_adds_once(shop: Shop) -> None:
    command = adding(shop, shop.stock_variant(), 2)
    first = await shop.add_item.execute(command)
    again = await shop.add_item.execute(command)
    assert (again.value, again.replayed) == (first.value, True)
    assert shop.tables.carts[first.value.id].version == 1


async def test_a_request_id_is_not_used_for_another_add(shop: Shop) -> None:
    command = adding(shop, shop.stock_variant(), 2)
    await shop.add_item.execute(command)
    with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
        await shop.add_item.execute(replace(command, quantity=3))


async def test_one_request_id_serves_two_customers_and_two_methods(shop: Shop, change: ChangeItem) -> None:
    kurta = shop.stock_variant()
    command = adding(shop, kurta)
    await shop.add_item.execute(command)
    assert not (await shop.add_item.execute(replace(command, owner=CartOwner.of_customer(BINOD)))).replayed
    assert not (
        await change.execute(ChangeItemCommand(CartOwner.of_customer(ASHA), command.request_id, kurta, 2))
    ).replayed
    assert len(shop.tables.carts) == 2


async def test_an_unknown_variant_is_not_added(shop: Shop) -> None:
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await shop.add_item.execute(adding(shop, VariantId(ASHA)))


async def test_a_variant_off_sale_is_not_added(shop: Shop) -> None:
    kurta = shop.stock_variant()
    shop.take_off_sale(kurta)
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_ON_SALE):
        await shop.add_item.execute(adding(shop, kurta))


async def test_the_sum_of_a_line_is_measured_against_stock(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=4)
    await shop.add(kurta, 3)
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK) as refusal:
        await shop.add_item.execute(adding(shop, kurta, 2))
    assert refusal.error.metadata["requested"] == "5"
    assert (await shop.add(kurta)).item_count == 4


async def test_the_sum_of_a_line_is_measured_against_the_products_limit(shop: Shop) -> None:
    kurta = shop.stock_variant(max_quantity=3)
    await shop.add(kurta, 2)
    with refused_with_nothing_committed(shop.database, Reason.QUANTITY_LIMIT_EXCEEDED) as refusal:
        await shop.add_item.execute(adding(shop, kurta, 2))
    assert (refusal.error.metadata["limit"], refusal.error.metadata["requested"]) == ("3", "4")


async def test_a_cart_takes_fifty_lines_and_more_of_each(shop: Shop) -> None:
    variants = [shop.stock_variant() for _ in range(MAX_LINES + 1)]
    for variant in variants[:MAX_LINES]:
        await shop.add(variant)
    with refused_with_nothing_committed(shop.database, Reason.CART_LINE_LIMIT_EXCEEDED):
        await shop.add_item.execute(adding(shop, variants[-1]))
    assert len((await shop.add(variants[0])).lines) == MAX_LINES


async def test_what_the_customers_own_checkout_holds_is_not_missing_from_the_cart(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=2)
    await shop.add(kurta)
    await shop.check_out(rupees(1_499))
    cart = await shop.add(kurta)
    assert (cart.lines[0].quantity, cart.lines[0].available, cart.lines[0].purchasable) == (2, 2, True)
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK):
        await shop.add_item.execute(AddItemCommand(CartOwner.of_customer(BINOD), shop.new_request(), kurta, 2))


async def test_a_refused_add_is_judged_anew(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=1)
    await shop.add(kurta, customer=BINOD)
    await shop.check_out(rupees(1_499), BINOD)
    command = adding(shop, kurta)
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK):
        await shop.add_item.execute(command)
    shop.clock.advance(timedelta(hours=1))
    await shop.settle(next(iter(shop.tables.checkouts.values())).checkout)
    assert not (await shop.add_item.execute(command)).replayed


async def test_a_line_is_given_another_quantity_once(shop: Shop, change: ChangeItem) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta, 4)
    command = changing(shop, kurta, 2)
    first = await change.execute(command)
    assert (first.value.item_count, first.value.version) == (2, 2)
    await change.execute(changing(shop, kurta, 5))
    again = await change.execute(command)
    assert (again.value, again.replayed) == (first.value, True)


async def test_a_line_that_is_not_there_is_neither_changed_nor_removed(
    shop: Shop, change: ChangeItem, remove: RemoveItem
) -> None:
    await shop.add(shop.stock_variant())
    other = shop.stock_variant()
    for variant in (other, VariantId(ASHA)):
        with refused_with_nothing_committed(shop.database, Reason.CART_LINE_NOT_FOUND):
            await change.execute(changing(shop, variant, 1))
        with refused_with_nothing_committed(shop.database, Reason.CART_LINE_NOT_FOUND):
            await remove.execute(RemoveItemCommand(CartOwner.of_customer(ASHA), shop.new_request(), variant))


async def test_a_change_obeys_sale_stock_and_limit(shop: Shop, change: ChangeItem) -> None:
    scarce, limited, withdrawn = (
        shop.stock_variant(pieces=2),
        shop.stock_variant(max_quantity=2),
        shop.stock_variant(),
    )
    for variant in (scarce, limited, withdrawn):
        await shop.add(variant)
    shop.take_off_sale(withdrawn)
    for variant, quantity, reason in (
        (scarce, 3, Reason.INSUFFICIENT_STOCK),
        (limited, 3, Reason.QUANTITY_LIMIT_EXCEEDED),
        (withdrawn, 2, Reason.VARIANT_NOT_ON_SALE),
    ):
        with refused_with_nothing_committed(shop.database, reason):
            await change.execute(changing(shop, variant, quantity))


async def test_a_line_is_removed_and_its_replay_says_the_same(shop: Shop, remove: RemoveItem) -> None:
    kurta, saree = shop.stock_variant(), shop.stock_variant()
    await shop.add(kurta)
    await shop.add(saree)
    command = RemoveItemCommand(CartOwner.of_customer(ASHA), shop.new_request(), kurta)
    first = await remove.execute(command)
    assert [line.variant_id for line in first.value.lines] == [saree]
    assert await remove.execute(command) == replace(first, replayed=True)


async def test_a_withdrawn_line_can_be_removed(shop: Shop, remove: RemoveItem) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    shop.take_off_sale(kurta)
    answer = await remove.execute(RemoveItemCommand(CartOwner.of_customer(ASHA), shop.new_request(), kurta))
    assert answer.value.lines == ()


async def test_a_cleared_cart_is_empty_and_stays_the_same_cart(shop: Shop, clear: ClearCart) -> None:
    cart = await shop.add(shop.stock_variant())
    answer = await clear.execute(ClearCartCommand(CartOwner.of_customer(ASHA), shop.new_request()))
    assert (answer.value.id, answer.value.lines, answer.value.version) == (cart.id, (), 2)
    assert (await clear.execute(ClearCartCommand(CartOwner.of_customer(ASHA), shop.new_request()))).value.lines == ()


async def test_clearing_before_the_first_piece_makes_an_empty_cart(shop: Shop, clear: ClearCart) -> None:
    assert (await clear.execute(ClearCartCommand(CartOwner.of_customer(ASHA), shop.new_request()))).value.lines == ()
