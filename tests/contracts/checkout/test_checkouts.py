"""Checkouts as their port promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import LIVE, Checkout, CheckoutState
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.shared.errors import AbortedError, InvalidArgumentError, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, BINOD, NOON, checkout_in, checkout_line, rupees

S = CheckoutState
LEASE = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)
OTHER_CART = CartId(UUID(int=0xCB))
KEY = RequestKey(ASHA, "StartCheckout", RequestId(UUID(int=1)), b"this body")


def opening(number: int = 1, cart_id: CartId | None = None) -> Checkout:
    """Asha's checkout of two variants, not yet opened."""
    checkout = checkout_in(
        S.OPENING, checkout_line(1, quantity=2), checkout_line(2, price=rupees(8_500)), shipping=rupees(99)
    )
    return replace(checkout, id=CheckoutId(UUID(int=0xC0 + number)), cart_id=cart_id or checkout.cart_id)


async def kept(backing: Backing, checkout: Checkout, next_check_at: datetime = NOON + LEASE) -> Checkout:
    """Its variants exist, and it is added."""
    async with backing.unit_of_work() as uow:
        known = await uow.stock.get(checkout.lines[0].variant_id, None)
    if known is None:
        for line in checkout.lines:
            await backing.stock_variant(line.position)
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON + LEASE, next_check_at)
        await uow.commit()
    return checkout


async def saved(backing: Backing, checkout: Checkout) -> Checkout:
    async with backing.unit_of_work() as uow:
        await uow.checkouts.save(checkout, NOON + MINUTE)
        await uow.commit()
    return checkout


async def read(backing: Backing, checkout: Checkout) -> Checkout | None:
    async with backing.unit_of_work() as uow:
        return await uow.checkouts.get(checkout.id, None)


async def test_a_checkout_is_read_as_it_was_kept(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    async with backing.unit_of_work() as uow:
        for customer in (None, ASHA):
            assert await uow.checkouts.get(checkout.id, customer) == checkout
            assert await uow.checkouts.lock(checkout.id, customer) == checkout
        assert await uow.checkouts.lock_behind_cart(CheckoutRef(checkout.id, checkout.cart_id)) == checkout
        assert await uow.checkouts.find(checkout.id) == CheckoutRef(checkout.id, checkout.cart_id)


@pytest.mark.parametrize("key", [KEY, None], ids=["with a request", "by itself"])
@pytest.mark.parametrize("state", S)
async def test_only_a_checkout_that_is_still_opening_is_opened_and_its_request_answered(
    backing: Backing, state: CheckoutState, key: RequestKey | None
) -> None:
    checkout = await kept(backing, opening())
    current = replace(checkout, state=state, gateway_order_id="order_1")
    if state is not CheckoutState.OPENING:
        await saved(backing, current)
    opened = checkout.opened("order_2")
    async with backing.unit_of_work() as uow:
        await uow.requests.claim(KEY, Checkout)
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.open(opened, key) is (state is CheckoutState.OPENING)
        await uow.commit()
    assert await read(backing, checkout) == (opened if state is CheckoutState.OPENING else current)
    async with backing.unit_of_work() as uow:
        earlier = await uow.requests.claim(KEY, Checkout)
    assert earlier is not None
    assert earlier.answer == (opened if key is not None and state is CheckoutState.OPENING else None)


async def test_anothers_checkout_and_none_do_not_exist(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.get(checkout.id, BINOD) is None
        assert await uow.checkouts.lock(checkout.id, BINOD) is None
        for customer in (None, ASHA):
            assert await uow.checkouts.get(CheckoutId(ASHA), customer) is None
            assert await uow.checkouts.lock(CheckoutId(ASHA), customer) is None
        assert await uow.checkouts.find(CheckoutId(ASHA)) is None


async def test_a_checkout_is_found_by_the_gateways_order(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    await saved(backing, checkout.opened("order_1"))
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.find_by_gateway_order("order_1") == CheckoutRef(checkout.id, checkout.cart_id)
        assert await uow.checkouts.find_by_gateway_order("order_2") is None


@pytest.mark.parametrize("state", S)
async def test_the_state_and_the_gateways_order_are_saved_and_nothing_else(
    backing: Backing, state: CheckoutState
) -> None:
    checkout = await kept(backing, opening())
    changed = replace(checkout, state=state, gateway_order_id="order_1")
    await saved(backing, replace(changed, shipping=rupees(1), lines=checkout.lines[:1], content_digest=b"other"))
    assert await read(backing, checkout) == changed


@pytest.mark.parametrize("state", S)
async def test_the_carts_live_checkout_is_the_one_that_holds_stock(backing: Backing, state: CheckoutState) -> None:
    checkout = await kept(backing, opening())
    changed = await saved(backing, replace(checkout, state=state, gateway_order_id="order_1"))
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.lock_live(checkout.cart_id) == (changed if state in LIVE else None)
        assert await uow.checkouts.lock_live(OTHER_CART) is None


@pytest.mark.parametrize("state", [state for state in S if state in LIVE])
async def test_a_cart_has_one_live_checkout_at_a_time(backing: Backing, state: CheckoutState) -> None:
    first = await kept(backing, opening(1))
    await saved(backing, replace(first, state=state, gateway_order_id="order_1"))
    with pytest.raises(AbortedError) as lost:
        await kept(backing, opening(2))
    assert lost.value.reason is Reason.CONCURRENT_UPDATE
    assert await read(backing, opening(2)) is None
    await kept(backing, opening(3, OTHER_CART))


async def test_the_next_checkout_of_a_cart_follows_once_the_first_is_over(backing: Backing) -> None:
    first, second = await kept(backing, opening(1)), opening(2)
    async with backing.unit_of_work() as uow:
        await uow.checkouts.save(replace(first, state=S.SUPERSEDED), NOON)
        await uow.checkouts.add(second, NOON + LEASE, NOON + LEASE)
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.lock_live(first.cart_id) == second


async def test_what_was_over_does_not_come_to_life_beside_a_live_one(backing: Backing) -> None:
    first = await kept(backing, opening(1))
    expired = await saved(backing, replace(first, state=S.EXPIRED, gateway_order_id="order_1"))
    await kept(backing, opening(2))
    with pytest.raises(AbortedError):
        await saved(backing, replace(expired, state=S.CAPTURING))
    assert await read(backing, first) == expired


async def test_what_was_over_can_come_to_life_again(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    expired = await saved(backing, replace(checkout, state=S.EXPIRED, gateway_order_id="order_1"))
    pinned = await saved(backing, replace(expired, state=S.CAPTURING))
    assert await read(backing, checkout) == pinned


async def test_two_checkouts_never_share_an_order_of_the_gateways(backing: Backing) -> None:
    first, second = await kept(backing, opening(1)), await kept(backing, opening(2, OTHER_CART))
    await saved(backing, first.opened("order_1"))
    with pytest.raises(AbortedError):
        await saved(backing, second.opened("order_1"))
    assert await read(backing, second) == second


async def test_the_gateways_lease_belongs_to_whoever_added_the_checkout_until_it_runs_out(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    async with backing.unit_of_work() as uow:
        almost = NOON + LEASE - timedelta(microseconds=1)
        assert not await uow.checkouts.lease_gateway(checkout.id, almost, almost + LEASE)
        assert await uow.checkouts.lease_gateway(checkout.id, NOON + LEASE, NOON + 2 * LEASE)
        assert not await uow.checkouts.lease_gateway(checkout.id, NOON + LEASE, NOON + 2 * LEASE)
        assert await uow.checkouts.lease_gateway(checkout.id, NOON + 2 * LEASE, NOON + 3 * LEASE)


async def test_a_lease_given_back_is_free_at_once_and_nobody_gives_back_anothers(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    async with backing.unit_of_work() as uow:
        await uow.checkouts.return_gateway_lease(checkout.id, NOON + 2 * LEASE)
        assert not await uow.checkouts.lease_gateway(checkout.id, NOON, NOON + MINUTE)
        await uow.checkouts.return_gateway_lease(checkout.id, NOON + LEASE)
        assert await uow.checkouts.lease_gateway(checkout.id, NOON, NOON + MINUTE)


@pytest.mark.parametrize("state", [state for state in S if state is not S.OPENING])
async def test_only_an_opening_checkout_is_leased(backing: Backing, state: CheckoutState) -> None:
    checkout = await kept(backing, opening())
    await saved(backing, replace(checkout, state=state, gateway_order_id="order_1"))
    async with backing.unit_of_work() as uow:
        assert not await uow.checkouts.lease_gateway(checkout.id, NOON + MINUTE, NOON + 2 * MINUTE)
        assert not await uow.checkouts.lease_gateway(CheckoutId(ASHA), NOON + MINUTE, NOON + 2 * MINUTE)


async def test_checkouts_are_due_longest_first_and_no_more_than_asked_for(backing: Backing) -> None:
    for number, minutes in ((1, 3), (2, 1), (3, 2)):
        await kept(backing, opening(number, CartId(UUID(int=0xD0 + number))), NOON + minutes * MINUTE)
    ids = [opening(number).id for number in (2, 3, 1)]
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.due_for_check(NOON + MINUTE - timedelta(microseconds=1), 10) == ()
        assert await uow.checkouts.due_for_check(NOON + 2 * MINUTE, 10) == tuple(ids[:2])
        assert await uow.checkouts.due_for_check(NOON + 3 * MINUTE, 10) == tuple(ids)
        assert await uow.checkouts.due_for_check(NOON + 3 * MINUTE, 2) == tuple(ids[:2])


async def test_what_is_saved_may_say_when_to_look_again(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    opened = replace(checkout, state=S.OPEN, gateway_order_id="order_1")
    async with backing.unit_of_work() as uow:
        await uow.checkouts.save(opened, NOON, look_again_at=NOON + 2 * LEASE)
        assert await uow.checkouts.due_for_check(NOON + LEASE, 10) == ()
        await uow.checkouts.save(opened, NOON)
        assert await uow.checkouts.due_for_check(NOON + LEASE, 10) == ()
        assert await uow.checkouts.due_for_check(NOON + 2 * LEASE, 10) == (checkout.id,)
        await uow.commit()


async def test_a_look_is_rescheduled_or_called_off(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.check_attempts(checkout.id) == 0
        await uow.checkouts.schedule_check(checkout.id, 4, NOON + MINUTE)
        assert await uow.checkouts.check_attempts(checkout.id) == 4
        assert await uow.checkouts.due_for_check(NOON + LEASE, 10) == ()
        assert await uow.checkouts.due_for_check(NOON + MINUTE, 10) == (checkout.id,)
        await uow.checkouts.schedule_check(checkout.id, 5, None)
        assert await uow.checkouts.due_for_check(NOON + timedelta(days=9), 10) == ()
        await uow.commit()


async def test_without_a_commit_nothing_is_kept(backing: Backing) -> None:
    checkout = opening()
    for line in checkout.lines:
        await backing.stock_variant(line.position)
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON + LEASE, NOON + LEASE)
    assert await read(backing, checkout) is None


async def test_the_first_request_locks_the_checkout_and_later_ones_get_the_earlier(backing: Backing) -> None:
    checkout = await kept(backing, opening())
    ref = CheckoutRef(checkout.id, checkout.cart_id)
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.claim_and_lock(KEY, Checkout, ref) == checkout
        await uow.commit()
    async with backing.unit_of_work() as uow:
        unanswered: EarlierRequest[Checkout] = EarlierRequest(KEY.fingerprint, checkout.id, None)
        assert await uow.checkouts.claim_and_lock(KEY, Checkout, ref) == unanswered
        await uow.requests.answer(KEY, checkout)
        assert await uow.checkouts.claim_and_lock(KEY, Checkout, ref) == replace(unanswered, answer=checkout)
        with pytest.raises(InvalidArgumentError) as reused:
            await uow.checkouts.claim_and_lock(replace(KEY, fingerprint=b"another body"), Checkout, ref)
    assert reused.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_request_about_no_checkout_locks_none(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.checkouts.claim_and_lock(KEY, Checkout, CheckoutRef(CheckoutId(ASHA), OTHER_CART)) is None
