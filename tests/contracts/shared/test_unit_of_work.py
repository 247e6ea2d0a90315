"""A unit of work as its port promises: all of it, or none."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.payments.payment import Payment
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CartId, PaymentId
from tests.contracts.backing import Backing
from tests.contracts.touching import touch
from tests.fakes.samples import ASHA, NOON, checkout_in, kept_payment

CART = CartId(UUID(int=0xCA))
OWNER = CartOwner.of_customer(ASHA)
LIFETIME = timedelta(days=1)


async def has_cart(backing: Backing) -> bool:
    async with backing.unit_of_work() as uow:
        return await uow.carts.get(OWNER, NOON) is not None


async def test_what_is_committed_is_there_for_the_next(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        await uow.commit()
    assert await has_cart(backing)


async def test_a_transaction_sees_its_own_changes_and_leaving_undoes_them(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        assert await uow.carts.get(OWNER, NOON) is not None
    assert not await has_cart(backing)


async def touch_and_fail(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        raise KeyError("ours")


async def test_an_error_undoes_everything_and_goes_on_its_way(backing: Backing) -> None:
    with pytest.raises(KeyError, match="ours"):
        await touch_and_fail(backing)
    assert not await has_cart(backing)


async def test_what_follows_a_commit_needs_another_one(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        await uow.commit()
        await uow.carts.add_line(CART, kurta, 1, NOON)
    async with backing.unit_of_work() as uow:
        cart = await uow.carts.get(OWNER, NOON)
    assert cart is not None
    assert cart.lines == ()


async def keep_with_payments(backing: Backing, checkout: Checkout, *payments: Payment) -> None:
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        for payment in payments:
            await uow.payments.add(payment)
        await uow.commit()


async def test_a_lost_race_undoes_what_went_before_it(backing: Backing) -> None:
    await backing.stock_variant()
    checkout = checkout_in(CheckoutState.OPENING)
    payment = kept_payment(checkout)
    with pytest.raises(AbortedError) as lost:
        await keep_with_payments(backing, checkout, payment, replace(payment, id=PaymentId(ASHA)))
    assert lost.value.reason is Reason.CONCURRENT_UPDATE
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.get(checkout.id, None) is None
