"""What the start of a checkout knows of its cart, its door and the checkout that lives, once it has waited for them."""

import asyncio
from uuid import uuid4

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.checkout.checkout import Checkout, CheckoutVerb
from kapda.domain.checkout.hold_limits import door_of
from kapda.domain.checkout.ports import StartBasis
from kapda.domain.checkout.use_cases.open_at_gateway import end_checkout
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import CheckoutId, RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.fakes.samples import HOME
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.shop import Shop
from tests.shop.waits import somebody_waits_for_a_lock


def _new_key(buyer: Buyer) -> RequestKey:
    return RequestKey(buyer.id, "Try", RequestId(uuid4()), b"one body")


async def _begun(
    buyer: Buyer, key: RequestKey, address: Address = HOME
) -> StartBasis | EarlierRequest[Checkout] | None:
    """What a start is decided on, in a transaction that is rolled back."""
    uow: PostgresUnitOfWork = buyer.shop.door().unit_of_work()
    async with uow:
        return await _begin(uow, buyer, key, address)


async def _begin(
    uow: PostgresUnitOfWork, buyer: Buyer, key: RequestKey, address: Address = HOME
) -> StartBasis | EarlierRequest[Checkout] | None:
    now = buyer.shop.container.clock().now()
    return await uow.checkout_starts.claim_and_lock(
        key, Checkout, CheckoutId(uuid4()), buyer.id, door=door_of(address), at=now
    )


async def test_f18_a_start_that_waited_for_another_one_finds_its_checkout(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        first = await _begin(uow, buyer, _new_key(buyer))
        assert isinstance(first, StartBasis)
        assert first.live == checkout
        waiting = asyncio.create_task(_begun(buyer, _new_key(buyer)))
        await somebody_waits_for_a_lock(shop)
        now = shop.container.clock().now()
        await uow.checkouts.save(checkout.after(CheckoutVerb.SUPERSEDE), now)
        await uow.stock.release(checkout.hold_id, now, "checkout superseded")
        await uow.carts.clear(checkout.cart_id)
        await uow.commit()

    second = await waiting
    assert isinstance(second, StartBasis)
    assert second.live is None
    assert second.cart.lines == ()
    assert list(second.pressure.unpaid_starts) == [checkout.created_at]


async def test_api6_a_start_that_waited_for_the_end_of_the_live_checkout_counts_it_as_unpaid(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant(pieces=1))
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        # Whoever abandons locks the checkout and not its cart.
        assert await uow.checkouts.lock(checkout.id, buyer.id) == checkout
        waiting = asyncio.create_task(_begun(buyer, _new_key(buyer)))
        await somebody_waits_for_a_lock(shop)
        await end_checkout(uow, checkout.after(CheckoutVerb.ABANDON), shop.container.clock().now())
        await uow.commit()

    basis = await waiting
    assert isinstance(basis, StartBasis)
    assert basis.live is None
    assert list(basis.pressure.unpaid_starts) == [checkout.created_at]
    assert basis.cart.lines[0].available == 1


async def test_f9_a_start_that_waits_for_a_door_leaves_the_live_checkout_to_others(shop: Shop) -> None:
    buyer, neighbour = await new_buyer(shop), await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    await neighbour.add(await shop.variant())
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        assert isinstance(await _begin(uow, neighbour, _new_key(neighbour)), StartBasis)
        waiting = asyncio.create_task(_begun(buyer, _new_key(buyer)))
        await somebody_waits_for_a_lock(shop)
        # Would wait for ever if the other one had it.
        assert await uow.checkouts.lock(checkout.id, None) == checkout
        await uow.commit()

    basis = await waiting
    assert isinstance(basis, StartBasis)
    assert basis.live == checkout


async def test_f18_whoever_waits_for_the_same_start_locks_nothing_and_then_has_the_earlier_one(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    await buyer.add(await shop.variant())
    key = _new_key(buyer)
    uow: PostgresUnitOfWork = shop.door().unit_of_work()
    async with uow:
        assert await uow.requests.claim(key, Checkout, buyer.id) is None
        waiting = asyncio.create_task(_begun(buyer, key))
        await somebody_waits_for_a_lock(shop)
        # Would wait for ever, and end in a deadlock, if the other one had the cart.
        assert isinstance(await _begin(uow, buyer, _new_key(buyer)), StartBasis)
        await uow.commit()

    assert await waiting == EarlierRequest(key.fingerprint, buyer.id, None)
