"""API6: what it costs to empty a shop without paying. Guests cannot at all; customers need an account for every few pieces
and a door for every ten accounts, and lose both to the limits within hours."""

from collections import Counter
from dataclasses import replace
from functools import partial

from kapda.domain.checkout.checkout import Checkout
from kapda.domain.checkout.hold_limits import DOOR_LIMIT, HOURLY
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer
from tests.fakes.samples import HOME, rupees
from tests.shop.buyer import Buyer, new_buyer, new_buyers
from tests.shop.gate import at_once
from tests.shop.guest import new_guest
from tests.shop.shop import Shop, new_request

# Each would empty the shelf alone if a cart could; that it is a thousand elsewhere changes nothing but the time this takes.
GUEST_CARTS = 150


async def _start(buyer: Buyer, address: Address, total: Money) -> Answer[Checkout]:
    command = StartCheckoutCommand(buyer.id, new_request(), address, total)
    return await buyer.shop.door().start_checkout().execute(command)


async def _fill_a_guest_cart(shop: Shop, variant: VariantId, quantity: int) -> None:
    await (await new_guest(shop)).add(variant, quantity)


async def test_api6_guest_carts_without_number_take_nothing_from_a_customer(shop: Shop) -> None:
    wanted = await shop.variant(pieces=10, limit=10)
    outcomes = await at_once([partial(_fill_a_guest_cart, shop, wanted, 10) for _ in range(GUEST_CARTS)])
    assert not outcomes.refusals
    assert await shop.level(wanted) == (10, 0)
    buyer = await new_buyer(shop)
    assert (await buyer.checks_out_one(wanted, 10)).lines[0].quantity == 10


async def test_api6_an_army_of_accounts_at_one_door_holds_ten_carts_and_the_shop_stays_open(shop: Shop) -> None:
    limit, soldiers = 5, 4 * DOOR_LIMIT
    wanted = await shop.variant(pieces=limit * soldiers, limit=limit)
    army = await new_buyers(shop, soldiers)
    for soldier in army:
        await soldier.add(wanted, limit)
    spellings = [HOME, replace(HOME, line1=HOME.line1.upper()), replace(HOME, line1=f"{HOME.line1}, ", name="X")]

    outcomes = await at_once(
        [partial(_start, soldier, spellings[number % 3], rupees(1_000) * limit) for number, soldier in enumerate(army)]
    )

    assert len(outcomes.answers) == DOOR_LIMIT
    assert outcomes.reasons == {Reason.RATE_LIMITED: soldiers - DOOR_LIMIT}
    assert await shop.level(wanted) == (limit * soldiers, limit * DOOR_LIMIT)
    elsewhere = await new_buyer(shop)
    assert (await elsewhere.checks_out_one(wanted, limit)).lines[0].quantity == limit


async def test_api6_one_account_with_many_tabs_holds_one_cart_and_is_stopped_within_the_hour(shop: Shop) -> None:
    wanted = await shop.variant(pieces=200, limit=200)
    hoarder = await new_buyer(shop)
    reasons: Counter[Reason] = Counter()
    for pieces in range(1, HOURLY.allowed + 4):
        await hoarder.add(wanted)
        outcomes = await at_once([partial(hoarder.start, rupees(1_000) * pieces) for _ in range(4)])
        reasons += outcomes.reasons
        _, held = await shop.level(wanted)
        assert held == min(pieces, HOURLY.allowed)
    assert reasons == {Reason.RATE_LIMITED: 3 * 4}
    assert await shop.count("checkouts WHERE customer_id = :id", id=hoarder.id) == HOURLY.allowed
