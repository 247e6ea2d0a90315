"""Why a variant is not available: who holds what until when."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.inventory.availability import (
    MAX_HOLDS_SHOWN,
    Availability,
    HolderState,
    ListingState,
    LiveHold,
    Obstacle,
)
from kapda.domain.inventory.stock import HoldLine, StockLevel
from kapda.domain.shared.ids import CartId, CheckoutId, HoldId, VariantId
from tests.contracts.backing import MEERA, Backing, variant_number
from tests.contracts.inventory.shelf import LATER, held, hold_number, level
from tests.fakes.samples import ASHA, NOON, checkout_in

MINUTE = timedelta(minutes=1)


async def explained(backing: Backing, variant_id: VariantId) -> Availability:
    async with backing.unit_of_work() as uow:
        found = await uow.stock.explain(variant_id, MEERA)
    assert found is not None
    return found


async def checked_out(backing: Backing, number: int, state: CheckoutState, *, minutes: int, quantity: int) -> HoldId:
    """A checkout in that state that holds pieces of variant 1 and gives them back after so many minutes."""
    opening = replace(
        checkout_in(CheckoutState.OPENING),
        id=CheckoutId(hold_number(number)),
        cart_id=CartId(UUID(int=0xCA00 + number)),
        pay_before=NOON + MINUTE,
        hold_until=NOON + minutes * MINUTE,
    )
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(opening, NOON, NOON)
        if state is not CheckoutState.OPENING:
            await uow.checkouts.save(replace(opening, state=state, gateway_order_id=f"order_{number}"), NOON)
        await uow.commit()
    return await held(backing, number, HoldLine(variant_number(1), quantity))


async def test_what_can_be_bought_has_no_obstacle(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=3)
    found = await explained(backing, kurta)
    assert found == Availability(StockLevel(kurta, 3, 0, 1, NOON), "RNG-KURTA-001", ListingState.PUBLISHED, True, (), 0)
    assert found.obstacles == ()


async def test_the_holds_that_end_first_come_first_with_what_their_checkout_is_doing(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    late = await checked_out(backing, 1, CheckoutState.CAPTURING, minutes=40, quantity=3)
    soon = await checked_out(backing, 2, CheckoutState.OPEN, minutes=20, quantity=2)
    middle = await checked_out(backing, 3, CheckoutState.OPENING, minutes=30, quantity=4)
    fault = await checked_out(backing, 4, CheckoutState.ABANDONED, minutes=35, quantity=1)
    found = await explained(backing, kurta)
    assert found.holds == (
        LiveHold(soon, 2, HolderState.OPEN, LATER, NOON + 20 * MINUTE),
        LiveHold(middle, 4, HolderState.OPENING, LATER, NOON + 30 * MINUTE),
        LiveHold(fault, 1, HolderState.ENDED, LATER, NOON + 35 * MINUTE),
        LiveHold(late, 3, HolderState.CAPTURING, LATER, NOON + 40 * MINUTE),
    )
    assert (found.level, found.more_holds) == (await level(backing, kurta), 0)
    assert found.obstacles == (Obstacle.ALL_HELD,)


async def test_a_hold_that_ended_is_not_shown_and_one_taken_again_is_as_old_as_its_last_taking(
    backing: Backing,
) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    sold, released = await held(backing, 1, HoldLine(kurta, 1)), await held(backing, 2, HoldLine(kurta, 1))
    again = await held(backing, 3, HoldLine(kurta, 1), HoldLine(saree, 1))
    async with backing.unit_of_work() as uow:
        await uow.stock.sell(sold, LATER, "order K1")
        await uow.stock.release(released, LATER, "checkout expired")
        await uow.stock.release(again, LATER, "checkout expired")
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.hold(again, [HoldLine(kurta, 2)], LATER + MINUTE) == ()
        await uow.commit()
    found = await explained(backing, kurta)
    assert found.holds == (LiveHold(again, 2, HolderState.ENDED, LATER + MINUTE, None),)


async def test_a_hundred_holds_are_shown_and_the_rest_is_counted(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=200)
    for number in range(MAX_HOLDS_SHOWN + 3):
        await held(backing, number, HoldLine(kurta, 1))
    found = await explained(backing, kurta)
    assert [hold.hold_id for hold in found.holds] == [hold_number(number) for number in range(MAX_HOLDS_SHOWN)]
    assert (found.more_holds, found.level.held) == (3, 103)


@pytest.mark.parametrize("listing", ListingState)
async def test_every_state_of_a_product_is_known_and_only_a_published_one_is_on_sale(
    backing: Backing, listing: ListingState
) -> None:
    kurta = await backing.stock_variant()
    await backing.list_as(kurta, listing)
    found = await explained(backing, kurta)
    assert found.listing is listing
    assert (found.obstacles == ()) == (listing is ListingState.PUBLISHED)


async def test_everything_in_the_way_is_named(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=0)
    await backing.list_as(kurta, ListingState.DRAFT)
    await backing.take_off_sale(kurta)
    found = await explained(backing, kurta)
    assert not found.active
    assert found.obstacles == (Obstacle.PRODUCT_NOT_PUBLISHED, Obstacle.VARIANT_INACTIVE, Obstacle.NONE_ON_HAND)


async def test_a_stranger_is_told_nothing(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.explain(kurta, ASHA) is None
        assert await uow.stock.explain(variant_number(9), None) is None
        assert await uow.stock.explain(kurta, None) is not None
