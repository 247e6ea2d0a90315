"""The cart beside the shop as it is now."""

import pytest

from kapda.domain.cart.cart import ChangeKind
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.get_cart import GetCart, GetCartCommand
from kapda.domain.cart.use_cases.validate_cart import CartValidation, ValidateCart, ValidateCartCommand
from kapda.domain.shared.money import Money
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


@pytest.fixture
def get(shop: Shop) -> GetCart:
    return GetCart(shop.database.unit_of_work, shop.clock, shop.ids)


async def validated(get: GetCart) -> CartValidation:
    return await ValidateCart(get).execute(ValidateCartCommand(CartOwner.of_customer(ASHA)))


async def test_a_customer_without_a_cart_has_an_empty_one_and_nothing_is_written(shop: Shop, get: GetCart) -> None:
    cart = await get.execute(GetCartCommand(CartOwner.of_customer(ASHA)))
    assert (cart.customer_id, cart.lines, cart.total, cart.version) == (ASHA, (), Money.zero(), 0)
    assert (shop.tables.carts, shop.database.commits) == ({}, 0)


async def test_a_cart_shows_live_prices_and_stock(shop: Shop, get: GetCart) -> None:
    kurta = shop.stock_variant(pieces=3)
    await shop.add(kurta, 2)
    shop.reprice(kurta, rupees(1_299))
    await shop.add(kurta, 1, BINOD)
    await shop.check_out(rupees(1_299), BINOD)
    (line,) = (await get.execute(GetCartCommand(CartOwner.of_customer(ASHA)))).lines
    assert (line.unit_price, line.price_when_added, line.available) == (rupees(1_299), rupees(1_499), 2)


async def test_another_customers_cart_is_not_seen(shop: Shop, get: GetCart) -> None:
    await shop.add(shop.stock_variant())
    assert (await get.execute(GetCartCommand(CartOwner.of_customer(BINOD)))).lines == ()


async def test_a_cart_that_fits_the_shop_is_valid(shop: Shop, get: GetCart) -> None:
    await shop.add(shop.stock_variant())
    verdict = await validated(get)
    assert (verdict.changes, verdict.valid) == ((), True)


async def test_a_price_that_moved_is_told_and_does_not_invalidate(shop: Shop, get: GetCart) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    shop.reprice(kurta, rupees(1_600))
    verdict = await validated(get)
    assert [change.kind for change in verdict.changes] == [ChangeKind.PRICE_RAISED]
    assert verdict.valid


async def test_an_obstacle_invalidates(shop: Shop, get: GetCart) -> None:
    kurta, saree = shop.stock_variant(), shop.stock_variant()
    await shop.add(kurta)
    await shop.add(saree)
    shop.take_off_sale(saree)
    verdict = await validated(get)
    assert [(change.variant_id, change.kind) for change in verdict.changes] == [(saree, ChangeKind.UNAVAILABLE)]
    assert not verdict.valid


async def test_an_empty_cart_is_not_valid(get: GetCart) -> None:
    assert not (await validated(get)).valid
