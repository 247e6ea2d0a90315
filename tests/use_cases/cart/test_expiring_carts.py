"""Carts that nobody came back to: absent at once, deleted by the sweep."""

from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.cart.cart import LIFETIME, expiry
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.expire_carts import BATCH, MAX_BATCHES, ExpireCarts
from kapda.domain.cart.use_cases.get_cart import GetCart, GetCartCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CartId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import ASHA, NOON, rupees
from tests.fakes.shop import Shop
from tests.fakes.tables import CartRow

HOUR = timedelta(hours=1)


@pytest.fixture
def expire(shop: Shop) -> ExpireCarts:
    return ExpireCarts(shop.database.unit_of_work, shop.clock)


async def test_an_expired_cart_reads_as_empty_and_cannot_be_checked_out(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    shop.clock.advance(LIFETIME + HOUR)
    get = GetCart(shop.database.unit_of_work, shop.clock, shop.ids)
    cart = await get.execute(GetCartCommand(CartOwner.of_customer(ASHA)))
    assert (cart.lines, cart.version) == ((), 0)
    with refused_with_nothing_committed(shop.database, Reason.CART_EMPTY):
        await shop.check_out(rupees(1_499))


async def test_every_change_starts_the_thirty_days_anew(shop: Shop, expire: ExpireCarts) -> None:
    kurta = shop.stock_variant()
    await shop.add(kurta)
    shop.clock.advance(LIFETIME - timedelta(seconds=1))
    await shop.add(kurta)
    shop.clock.advance(LIFETIME - timedelta(seconds=1))
    assert await expire.execute() == 0
    shop.clock.advance(HOUR)
    assert await expire.execute() == 1
    assert (shop.tables.carts, shop.tables.cart_lines) == ({}, {})


async def test_a_cart_stays_while_it_is_being_paid_and_its_order_takes_the_pieces_out(
    shop: Shop, expire: ExpireCarts
) -> None:
    await shop.add(shop.stock_variant())
    shop.clock.advance(expiry(NOON, LIFETIME) - NOON - timedelta(minutes=5))
    checkout = await shop.check_out(rupees(1_499))
    shop.clock.advance(timedelta(minutes=10))
    assert await expire.execute() == 0
    payment = shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.place_order.execute(shop.coming_back(checkout, payment))
    assert shop.the_order().checkout_id == checkout.id
    assert shop.tables.cart_lines == {}
    assert await expire.execute() == 1


async def test_one_run_is_bounded_and_the_next_goes_on(shop: Shop, expire: ExpireCarts) -> None:
    now = shop.clock.now()
    surplus = 7
    for number in range(BATCH * MAX_BATCHES + surplus):
        cart_id = CartId(UUID(int=number + 1))
        shop.tables.carts[cart_id] = CartRow(cart_id, None, 1, now, now, number.to_bytes(32, "big"))
    assert await expire.execute() == BATCH * MAX_BATCHES
    assert await expire.execute() == surplus


@pytest.mark.parametrize(
    ("touched", "expires"),
    [(timedelta(0), HOUR), (timedelta(microseconds=1), 2 * HOUR), (HOUR, 2 * HOUR)],
)
def test_a_cart_lives_at_least_its_time_and_ends_at_a_full_hour(touched: timedelta, expires: timedelta) -> None:
    full_hour = NOON.replace(minute=0)
    assert expiry(full_hour + touched, HOUR) == full_hour + expires
