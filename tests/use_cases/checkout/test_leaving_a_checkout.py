"""Giving a checkout up, and reading one."""

from dataclasses import replace

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.get_checkout import GetCheckout, GetCheckoutCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CheckoutId
from tests.fakes.refusals import refused, refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


def giving_up(shop: Shop, checkout_id: CheckoutId) -> AbandonCheckoutCommand:
    return AbandonCheckoutCommand(ASHA, shop.new_request(), checkout_id)


async def test_an_abandoned_checkout_gives_its_stock_back_at_once(shop: Shop) -> None:
    checkout = await shop.check_out_one(pieces=1)
    answer = await shop.abandon_checkout.execute(giving_up(shop, checkout.id))
    assert (answer.value, answer.replayed) == (replace(checkout, state=CheckoutState.ABANDONED), False)
    assert shop.level(checkout.lines[0].variant_id) == (1, 0)
    assert shop.tables.movements[-1].reason == "checkout abandoned"


async def test_money_that_may_still_come_for_it_is_still_looked_for(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    await shop.abandon_checkout.execute(giving_up(shop, checkout.id))
    assert shop.tables.checkouts[checkout.id].next_check_at is not None


async def test_the_cart_stays_and_can_be_checked_out_again(shop: Shop) -> None:
    first = await shop.check_out_one()
    await shop.abandon_checkout.execute(giving_up(shop, first.id))
    second = await shop.check_out(rupees(1_499))
    assert (second.id != first.id, shop.level(second.lines[0].variant_id)) == (True, (10, 1))


async def test_giving_up_twice_by_one_request_is_one_giving_up(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    command = giving_up(shop, checkout.id)
    first = await shop.abandon_checkout.execute(command)
    assert await shop.abandon_checkout.execute(command) == replace(first, replayed=True)
    with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_STATE_INVALID):
        await shop.abandon_checkout.execute(giving_up(shop, checkout.id))


async def test_a_request_id_is_not_used_for_another_checkout(shop: Shop) -> None:
    first = await shop.check_out_one()
    command = giving_up(shop, first.id)
    await shop.abandon_checkout.execute(command)
    second = await shop.check_out(rupees(1_499))
    with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
        await shop.abandon_checkout.execute(replace(command, checkout_id=second.id))


@pytest.mark.parametrize(
    "state", [state for state in CheckoutState if state not in (CheckoutState.OPENING, CheckoutState.OPEN)]
)
async def test_what_is_over_or_being_captured_cannot_be_given_up(shop: Shop, state: CheckoutState) -> None:
    checkout = await shop.check_out_one()
    row = shop.tables.checkouts[checkout.id]
    shop.tables.checkouts[checkout.id] = replace(row, checkout=replace(checkout, state=state))
    with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_STATE_INVALID) as refusal:
        await shop.abandon_checkout.execute(giving_up(shop, checkout.id))
    assert refusal.error.metadata["state"] == state.value
    shop.tables.checkouts[checkout.id] = row


async def test_another_customers_checkout_does_not_exist(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    get = GetCheckout(shop.database.unit_of_work)
    with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_NOT_FOUND):
        await shop.abandon_checkout.execute(AbandonCheckoutCommand(BINOD, shop.new_request(), checkout.id))
    for customer, checkout_id in ((BINOD, checkout.id), (ASHA, CheckoutId(ASHA))):
        with refused(Reason.CHECKOUT_NOT_FOUND):
            await get.execute(GetCheckoutCommand(customer, checkout_id))


async def test_a_checkout_is_read_with_the_order_it_became(shop: Shop) -> None:
    checkout = await shop.check_out_one()
    get = GetCheckout(shop.database.unit_of_work)
    assert await get.execute(GetCheckoutCommand(ASHA, checkout.id)) == checkout
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    read = await get.execute(GetCheckoutCommand(ASHA, checkout.id))
    assert (read.state, read.order_id) == (CheckoutState.PLACED, shop.the_order().id)
