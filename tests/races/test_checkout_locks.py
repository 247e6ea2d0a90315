"""What one statement locks of a checkout and its cart, and what it knows of them once it has waited."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.orders.order import Order
from kapda.domain.shared.ids import CheckoutId, RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.shop.buyer import new_buyer
from tests.shop.shop import Shop
from tests.shop.waits import somebody_waits_for_a_lock


async def _locked(shop: Shop, ref: CheckoutRef) -> Checkout | None:
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        return await uow.checkouts.lock_behind_cart(ref)


async def _claimed_and_locked(shop: Shop, ref: CheckoutRef) -> Checkout | EarlierRequest[Order] | None:
    """The same for a request that nobody has made before."""
    key = RequestKey(uuid4(), "PlaceOrder", RequestId(uuid4()), b"one body")
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        return await uow.checkouts.claim_and_lock(key, Order, ref)


Lock = Callable[[Shop, CheckoutRef], Awaitable[object]]
BOTH = pytest.mark.parametrize("lock", [_locked, _claimed_and_locked], ids=["alone", "with a claim"])


@BOTH
async def test_f9_whoever_waits_for_a_cart_holds_nothing_of_its_checkout_and_then_has_it_as_it_is_now(
    shop: Shop, lock: Lock
) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    uow: PostgresUnitOfWork = shop.door().unit_of_work()

    async with uow:
        await uow.carts.lock(CartOwner.of_customer(buyer.id), shop.container.clock().now())
        waiting = asyncio.ensure_future(lock(shop, CheckoutRef(checkout.id, checkout.cart_id)))
        await somebody_waits_for_a_lock(shop)
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
        await somebody_waits_for_a_lock(shop)
        await uow.commit()

    order = (await placing).value
    await looking
    found = await _locked(shop, ref)
    assert found is not None
    assert (found.state, found.order_id) == (CheckoutState.PLACED, order.id)


@BOTH
async def test_a_checkout_without_a_cart_is_locked_and_one_that_is_not_there_is_none(shop: Shop, lock: Lock) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    await shop.sql("DELETE FROM carts WHERE id = :id", id=checkout.cart_id)

    assert await lock(shop, CheckoutRef(checkout.id, checkout.cart_id)) == checkout
    assert await lock(shop, CheckoutRef(CheckoutId(buyer.id), checkout.cart_id)) is None


async def test_f18_whoever_waits_for_the_same_request_holds_neither_cart_nor_checkout_and_then_has_its_answer(
    shop: Shop,
) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    ref = CheckoutRef(checkout.id, checkout.cart_id)
    key = RequestKey(buyer.id, "Try", RequestId(uuid4()), b"one body")
    first: PostgresUnitOfWork = shop.door().unit_of_work()
    second: PostgresUnitOfWork = shop.door().unit_of_work()

    async def again() -> Checkout | EarlierRequest[Checkout] | None:
        async with second:
            return await second.checkouts.claim_and_lock(key, Checkout, ref)

    async with first:
        assert await first.requests.claim(key, Checkout, checkout.id) is None
        waiting = asyncio.create_task(again())
        await somebody_waits_for_a_lock(shop)
        # Would wait for ever, and end in a deadlock, if the other one had the cart or the checkout.
        assert await first.checkouts.lock_behind_cart(ref) == checkout
        await first.requests.answer(key, checkout)
        await first.commit()

    assert await waiting == EarlierRequest(key.fingerprint, checkout.id, checkout)


async def test_whoever_waits_for_a_request_that_is_rolled_back_is_the_first(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    ref = CheckoutRef(checkout.id, checkout.cart_id)
    key = RequestKey(buyer.id, "Try", RequestId(uuid4()), b"one body")
    first: PostgresUnitOfWork = shop.door().unit_of_work()
    second: PostgresUnitOfWork = shop.door().unit_of_work()

    async def again() -> Checkout | EarlierRequest[Order] | None:
        async with second:
            return await second.checkouts.claim_and_lock(key, Order, ref)

    async with first:
        await first.requests.claim(key, Order, checkout.id)
        waiting = asyncio.create_task(again())
        await somebody_waits_for_a_lock(shop)

    assert await waiting == checkout
