"""Starts of checkouts as their port promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import LIVE, Checkout, CheckoutState
from kapda.domain.checkout.hold_limits import HoldPressure, door_of
from kapda.domain.checkout.ports import StartBasis
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.contracts.backing import Backing, EveryRepository
from tests.contracts.touching import touch
from tests.fakes.samples import ASHA, BINOD, HOME, NOON, checkout_in

OWNER = CartOwner.of_customer(ASHA)
CART = CartId(UUID(int=0xCA))
NEXT = CheckoutId(UUID(int=0xC9))
KEY = RequestKey(ASHA, "StartCheckout", RequestId(UUID(int=1)), b"this body")
MONTH = timedelta(days=30)
NO_PRESSURE = HoldPressure((), 0)


async def begin(
    uow: EveryRepository, key: RequestKey = KEY, at: datetime = NOON
) -> StartBasis | EarlierRequest[Checkout] | None:
    """Asha's next checkout, for her own door."""
    return await uow.checkout_starts.claim_and_lock(key, Checkout, NEXT, ASHA, door=door_of(HOME), at=at)


async def a_cart_of_two(backing: Backing) -> None:
    variants = [await backing.stock_variant(number) for number in (1, 2)]
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + MONTH)
        for variant in variants:
            await uow.carts.add_line(CART, variant, 2, NOON)
        await uow.commit()


async def started(backing: Backing, state: CheckoutState) -> Checkout:
    """A checkout of Asha's cart, in that state."""
    checkout = replace(checkout_in(CheckoutState.OPENING), created_at=NOON - timedelta(minutes=1))
    changed = replace(checkout, state=state, gateway_order_id="order_1")
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.checkouts.save(changed, NOON)
        await uow.commit()
    return changed


async def test_a_start_is_decided_on_the_cart_as_it_is(backing: Backing) -> None:
    await a_cart_of_two(backing)
    async with backing.unit_of_work() as uow:
        cart = await uow.carts.get(OWNER, NOON)
        assert cart is not None
        assert len(cart.lines) == 2
        assert await begin(uow) == StartBasis(cart, None, NO_PRESSURE)


@pytest.mark.parametrize("state", CheckoutState)
async def test_a_cart_comes_with_its_checkout_where_that_lives(backing: Backing, state: CheckoutState) -> None:
    await a_cart_of_two(backing)
    checkout = await started(backing, state)
    async with backing.unit_of_work() as uow:
        basis = await begin(uow)
    assert isinstance(basis, StartBasis)
    assert basis.live == (checkout if state in LIVE else None)


async def test_an_empty_cart_is_one_and_a_customer_without_one_has_none(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await begin(uow) is None
        await touch(uow, CartOwner.of_customer(BINOD), CART, NOON, NOON + MONTH)
        assert await begin(uow, replace(KEY, request_id=RequestId(UUID(int=2)))) is None
        await touch(uow, OWNER, CartId(UUID(int=0xCB)), NOON, NOON + MONTH)
        basis = await begin(uow, replace(KEY, request_id=RequestId(UUID(int=3))))
    assert isinstance(basis, StartBasis)
    assert basis.cart.lines == ()


async def test_a_cart_past_its_time_is_none(backing: Backing) -> None:
    await a_cart_of_two(backing)
    async with backing.unit_of_work() as uow:
        assert await begin(uow, at=NOON + MONTH) is None


async def test_a_request_is_claimed_once_for_the_checkout_that_starts(backing: Backing) -> None:
    await a_cart_of_two(backing)
    async with backing.unit_of_work() as uow:
        assert isinstance(await begin(uow), StartBasis)
        await uow.commit()
    checkout = checkout_in(CheckoutState.OPEN)
    async with backing.unit_of_work() as uow:
        unanswered: EarlierRequest[Checkout] = EarlierRequest(KEY.fingerprint, NEXT, None)
        assert await begin(uow) == unanswered
        await uow.requests.answer(KEY, checkout)
        assert await begin(uow) == replace(unanswered, answer=checkout)
        with pytest.raises(InvalidArgumentError) as reused:
            await begin(uow, replace(KEY, fingerprint=b"another body"))
    assert reused.value.reason is Reason.REQUEST_ID_REUSED


async def test_without_a_commit_nothing_was_claimed(backing: Backing) -> None:
    await a_cart_of_two(backing)
    for _ in range(2):
        async with backing.unit_of_work() as uow:
            assert isinstance(await begin(uow), StartBasis)
