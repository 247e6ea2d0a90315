"""D7: a cart whose time is over is not there, deleted or not; the sweep takes what nobody needs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import LIVE, CheckoutState
from kapda.domain.shared.ids import CartId, CheckoutId, VariantId
from tests.contracts.backing import Backing
from tests.contracts.touching import touch
from tests.fakes.samples import ASHA, BINOD, NOON, checkout_in

CART, NEW_CART, GUEST_CART = (CartId(UUID(int=number)) for number in (0xCA, 0xCB, 0x6E))
OWNER, GUEST, OTHER = CartOwner.of_customer(ASHA), CartOwner.of_guest(GUEST_CART), CartOwner.of_customer(BINOD)
DIGEST = bytes(range(32))
HOUR = timedelta(hours=1)
END = NOON + HOUR


async def stand(backing: Backing) -> VariantId:
    """Asha's cart and a guest's, each with two pieces, until END."""
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, END)
        await uow.carts.add_guest(GUEST_CART, DIGEST, NOON, END)
        for cart_id in (CART, GUEST_CART):
            assert await uow.carts.add_line(cart_id, kurta, 2, NOON)
        await uow.commit()
    return kurta


async def sweep(backing: Backing, limit: int = 10) -> int:
    async with backing.unit_of_work() as uow:
        deleted = await uow.carts.delete_expired(END, limit)
        await uow.commit()
    return deleted


async def checked_out(backing: Backing, states: Sequence[CheckoutState]) -> None:
    """Checkouts of Asha's cart, ending in these states."""
    async with backing.unit_of_work() as uow:
        for number, state in enumerate(states, start=1):
            checkout = checkout_in(CheckoutState.OPENING)
            checkout = replace(checkout, id=CheckoutId(UUID(int=0xC0 + number)))
            await uow.checkouts.add(checkout, NOON, NOON)
            await uow.checkouts.save(replace(checkout, state=state, gateway_order_id=f"order_{number}"), NOON)
        await uow.commit()


@pytest.mark.parametrize("owner", [OWNER, GUEST])
async def test_a_cart_is_there_until_its_time_and_not_from_then_on(backing: Backing, owner: CartOwner) -> None:
    await stand(backing)
    just_before = END - timedelta(microseconds=1)
    async with backing.unit_of_work() as uow:
        for read in (uow.carts.get, uow.carts.lock):
            assert await read(owner, just_before) is not None
            assert await read(owner, END) is None
        assert await uow.carts.find_guest(DIGEST, just_before) == GUEST_CART
        assert await uow.carts.find_guest(DIGEST, END) is None


async def test_a_customer_who_comes_back_too_late_starts_with_the_same_cart_empty(backing: Backing) -> None:
    kurta = await stand(backing)
    async with backing.unit_of_work() as uow:
        assert await touch(uow, OWNER, NEW_CART, END, END + HOUR) == CART
        assert (await uow.carts.facts(CART, kurta)).quantity_in_cart == 0
        assert await uow.carts.add_line(CART, kurta, 1, END)
        cart = await uow.carts.get(OWNER, END)
    assert cart is not None
    assert (cart.item_count, cart.version, cart.expires_at) == (1, 2, END + HOUR)


async def test_a_guest_who_comes_back_too_late_has_no_cart(backing: Backing) -> None:
    await stand(backing)
    async with backing.unit_of_work() as uow:
        assert await touch(uow, GUEST, NEW_CART, END, END + HOUR) is None
        assert await uow.carts.get(GUEST, NOON) is not None


async def test_the_sweep_takes_expired_carts_with_their_lines_and_no_other(backing: Backing) -> None:
    kurta = await stand(backing)
    async with backing.unit_of_work() as uow:
        await touch(uow, OTHER, NEW_CART, NOON, END + HOUR)
        assert await uow.carts.add_line(NEW_CART, kurta, 1, NOON)
        await uow.commit()
    assert await sweep(backing) == 2
    assert await sweep(backing) == 0
    async with backing.unit_of_work() as uow:
        assert await uow.carts.get(OWNER, NOON) is None
        assert await uow.carts.get(GUEST, NOON) is None
        assert (await uow.carts.facts(CART, kurta)).line_count == 0
        assert await uow.carts.get(OTHER, NOON) is not None


async def test_the_sweep_is_bounded_and_begins_with_the_oldest(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        for number in (1, 2, 3):
            end = END - timedelta(minutes=number)
            await uow.carts.add_guest(CartId(UUID(int=number)), bytes([number]) * 32, NOON, end)
        await uow.commit()
    assert await sweep(backing, 2) == 2
    async with backing.unit_of_work() as uow:
        assert await uow.carts.find_guest(bytes([1]) * 32, NOON) is not None
        assert await uow.carts.find_guest(bytes([3]) * 32, NOON) is None


@pytest.mark.parametrize("state", [CheckoutState.OPENING, CheckoutState.OPEN, CheckoutState.CAPTURING])
async def test_a_cart_with_a_live_checkout_stays(backing: Backing, state: CheckoutState) -> None:
    await stand(backing)
    await checked_out(backing, [CheckoutState.ABANDONED, state])
    assert await sweep(backing) == 1
    async with backing.unit_of_work() as uow:
        assert await uow.carts.get(OWNER, NOON) is not None


async def test_a_cart_whose_checkouts_have_ended_goes(backing: Backing) -> None:
    await stand(backing)
    await checked_out(backing, [state for state in CheckoutState if state not in LIVE])
    assert await sweep(backing) == 2
