"""C5: what one customer, and one door, may keep from everybody else."""

from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.hold_limits import DAILY, DOOR_LIMIT, HOURLY
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import UserId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


async def abandon(shop: Shop, checkout: Checkout) -> None:
    await shop.abandon_checkout.execute(AbandonCheckoutCommand(ASHA, shop.new_request(), checkout.id))


async def test_ten_checkouts_given_up_within_an_hour_are_enough(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    for _ in range(HOURLY.allowed):
        await abandon(shop, await shop.check_out(rupees(1_499)))
    with refused_with_nothing_committed(shop.database, Reason.RATE_LIMITED) as refusal:
        await shop.check_out(rupees(1_499))
    assert refusal.error.retry_after == HOURLY.within.total_seconds()
    shop.clock.advance(HOURLY.within)
    assert (await shop.check_out(rupees(1_499))).state is CheckoutState.OPEN


async def test_changing_the_cart_under_checkouts_counts_and_the_last_one_stays_payable(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=50, max_quantity=50)
    checkouts = []
    for pieces in range(1, HOURLY.allowed + 1):
        await shop.add(kurta)
        checkouts.append(await shop.check_out(rupees(1_499) * pieces))
    await shop.add(kurta)
    with refused_with_nothing_committed(shop.database, Reason.RATE_LIMITED):
        await shop.check_out(rupees(1_499) * (HOURLY.allowed + 1))
    assert shop.state(checkouts[-1]) is CheckoutState.OPEN
    assert shop.level(kurta) == (50, HOURLY.allowed)


async def test_an_unchanged_cart_gets_its_checkout_again_as_often_as_it_likes(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    ids = {(await shop.check_out(rupees(1_499))).id for _ in range(HOURLY.allowed + 5)}
    assert len(ids) == 1


async def test_holding_on_by_starting_again_every_half_hour_ends_within_the_day(shop: Shop) -> None:
    await shop.add(shop.stock_variant())
    for _ in range(DAILY.allowed):
        checkout = await shop.check_out(rupees(1_499))
        shop.clock.advance(timedelta(minutes=31))
        await shop.settle(checkout)
        assert shop.state(checkout) is CheckoutState.EXPIRED
    with refused_with_nothing_committed(shop.database, Reason.RATE_LIMITED) as refusal:
        await shop.check_out(rupees(1_499))
    assert refusal.error.metadata["limit"] == DAILY.name


async def test_paid_checkouts_do_not_count(shop: Shop) -> None:
    for _ in range(HOURLY.allowed + 2):
        checkout = await shop.check_out_one()
        payment = shop.gateway.pay(checkout.gateway_order_id or "")
        await shop.place_order.execute(shop.coming_back(checkout, payment))
    assert len(shop.tables.orders) == HOURLY.allowed + 2


@pytest.mark.parametrize("customer", [ASHA, BINOD])
async def test_an_eleventh_customer_at_one_door_waits(shop: Shop, customer: UserId) -> None:
    kurta = shop.stock_variant(pieces=50)
    for number in range(DOOR_LIMIT):
        neighbour = UserId(UUID(int=0xD00 + number))
        await shop.add(kurta, 1, neighbour)
        await shop.check_out(rupees(1_499), neighbour)
    await shop.add(kurta, 1, customer)
    with refused_with_nothing_committed(shop.database, Reason.RATE_LIMITED) as refusal:
        await shop.check_out(rupees(1_499), customer)
    assert refusal.error.metadata["limit"] == "live_checkouts_for_one_door"
    assert shop.level(kurta) == (50, DOOR_LIMIT)


async def test_one_customer_holds_at_most_the_products_limit_whatever_the_customer_does(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=50, max_quantity=3)
    for pieces in (1, 2, 3):
        await shop.add(kurta)
        await shop.check_out(rupees(1_499) * pieces)
    with refused_with_nothing_committed(shop.database, Reason.QUANTITY_LIMIT_EXCEEDED):
        await shop.add(kurta)
    assert shop.level(kurta) == (50, 3)
