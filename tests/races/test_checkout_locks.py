"""What one statement locks of a checkout and its cart, and what it knows of them once it has waited."""

import asyncio

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.shared.ids import CheckoutId
from tests.shop.buyer import new_buyer
from tests.shop.shop import Shop
from tests.shop.wire import eventually


async def _locked(shop: Shop, ref: CheckoutRef) -> Checkout | None:
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        return await uow.checkouts.lock_behind_cart(ref)


async def _waits_for_a_lock(shop: Shop) -> None:
    waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def anybody() -> bool:
        return await shop.count(waiting) > 0

    await eventually(anybody)


async def test_f9_whoever_waits_for_a_cart_holds_nothing_of_its_checkout_and_then_has_it_as_it_is_now(
    shop: Shop,
) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    uow: PostgresUnitOfWork = shop.door().unit_of_work()

    async with uow:
        await uow.carts.lock(CartOwner.of_customer(buyer.id), shop.container.clock().now())
        waiting = asyncio.create_task(_locked(shop, CheckoutRef(checkout.id, checkout.cart_id)))
        await _waits_for_a_lock(shop)
        # Would wait for ever, and end in a deadlock, if the other one had it.
        mine = await uow.checkouts.lock(checkout.id, None)
        assert mine == checkout
        pinned = checkout.after(CheckoutVerb.PIN)
        await uow.checkouts.save(pinned, shop.container.clock().now())
        await uow.commit()

    assert await waiting == pinned


async def test_a_door_that_waited_for_the_cart_sees_the_order_that_the_other_door_placed(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    triple = await buyer.pay(checkout)
    ref = CheckoutRef(checkout.id, checkout.cart_id)
    uow: PostgresUnitOfWork = shop.door().unit_of_work()

    async with uow:
        await uow.checkouts.lock_behind_cart(ref)
        # Both wait here, and whoever comes first places the order.
        placing = asyncio.create_task(buyer.place(checkout, triple))
        looking = asyncio.create_task(_locked(shop, ref))
        await _waits_for_a_lock(shop)
        await uow.commit()

    order = (await placing).value
    await looking
    found = await _locked(shop, ref)
    assert found is not None
    assert (found.state, found.order_id) == (CheckoutState.PLACED, order.id)


async def test_a_checkout_without_a_cart_is_locked_and_one_that_is_not_there_is_none(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    await shop.sql("DELETE FROM carts WHERE id = :id", id=checkout.cart_id)

    assert await _locked(shop, CheckoutRef(checkout.id, checkout.cart_id)) == checkout
    assert await _locked(shop, CheckoutRef(CheckoutId(buyer.id), checkout.cart_id)) is None
