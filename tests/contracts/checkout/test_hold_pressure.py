"""What the hold limits are judged by, as the port promises it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import LIVE, Checkout, CheckoutState
from kapda.domain.checkout.hold_limits import DOOR_LIMIT, LONGEST_WINDOW, MOST_STARTS, UNPAID, HoldPressure, door_of
from kapda.domain.checkout.ports import StartBasis
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import CartId, CheckoutId, RequestId, UserId
from kapda.domain.shared.request_log import RequestKey
from tests.contracts.backing import Backing
from tests.contracts.touching import touch
from tests.fakes.samples import ASHA, BINOD, HOME, NOON, checkout_in

ELSEWHERE = replace(HOME, line1="7 Law College Road")
MINUTE = timedelta(minutes=1)


async def kept(
    backing: Backing,
    number: int,
    state: CheckoutState,
    *,
    customer: UserId = ASHA,
    address: Address = HOME,
    ago: timedelta = MINUTE,
) -> None:
    """A checkout that was started so long ago."""
    started = NOON - ago
    checkout = replace(
        checkout_in(CheckoutState.OPENING),
        id=CheckoutId(UUID(int=0xC000 + number)),
        cart_id=CartId(UUID(int=0xCA00 + number)),
        customer_id=customer,
        address=address,
        created_at=started,
        pay_before=started + 15 * MINUTE,
        hold_until=started + 30 * MINUTE,
    )
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.checkouts.save(replace(checkout, state=state, gateway_order_id=f"order_{number}"), NOON)
        await uow.commit()


async def pressure(backing: Backing, customer: UserId = ASHA, address: Address = HOME) -> HoldPressure:
    """What presses a customer who starts a checkout now."""
    key = RequestKey(customer, "StartCheckout", RequestId(uuid4()), b"this body")
    async with backing.unit_of_work() as uow:
        await touch(uow, CartOwner.of_customer(customer), CartId(uuid4()), NOON, NOON + MINUTE)
        basis = await uow.checkout_starts.claim_and_lock(
            key, Checkout, CheckoutId(uuid4()), customer, door=door_of(address), at=NOON
        )
    assert isinstance(basis, StartBasis)
    return basis.pressure


async def test_a_customer_who_never_started_presses_nobody(backing: Backing) -> None:
    assert await pressure(backing) == HoldPressure((), 0)


async def test_only_what_ended_unpaid_counts_newest_first(backing: Backing) -> None:
    await backing.stock_variant()
    for number, state in enumerate(CheckoutState, start=1):
        await kept(backing, number, state, ago=number * MINUTE)
    ages = [number * MINUTE for number, state in enumerate(CheckoutState, start=1) if state in UNPAID]
    assert (await pressure(backing)).unpaid_starts == tuple(NOON - age for age in ages)
    assert (await pressure(backing, BINOD)).unpaid_starts == ()


async def test_starts_are_counted_as_far_back_and_as_many_as_the_limits_look(backing: Backing) -> None:
    await backing.stock_variant()
    for number in range(1, MOST_STARTS + 2):
        await kept(backing, number, CheckoutState.ABANDONED, ago=number * MINUTE)
    await kept(backing, 90, CheckoutState.EXPIRED, customer=BINOD, ago=LONGEST_WINDOW)
    await kept(backing, 91, CheckoutState.EXPIRED, customer=BINOD, ago=LONGEST_WINDOW - MINUTE)
    assert (await pressure(backing)).unpaid_starts == tuple(NOON - n * MINUTE for n in range(1, MOST_STARTS + 1))
    assert (await pressure(backing, BINOD)).unpaid_starts == (NOON - LONGEST_WINDOW + MINUTE,)


async def test_others_live_checkouts_for_the_door_count_whatever_they_call_themselves(backing: Backing) -> None:
    await backing.stock_variant()
    named_otherwise = replace(HOME, name="Somebody", phone="+919999999999", line1=HOME.line1.upper())
    for number, state in enumerate(CheckoutState, start=1):
        await kept(backing, number, state, customer=BINOD, address=named_otherwise)
    await kept(backing, 90, CheckoutState.OPEN, customer=BINOD, address=ELSEWHERE)
    assert (await pressure(backing)).others_at_door == len(LIVE)
    assert (await pressure(backing, address=ELSEWHERE)).others_at_door == 1
    assert (await pressure(backing, BINOD)).others_at_door == 0


async def test_no_more_others_are_counted_than_the_limit_needs(backing: Backing) -> None:
    await backing.stock_variant()
    for number in range(DOOR_LIMIT + 3):
        await kept(backing, number, CheckoutState.OPEN, customer=BINOD)
    assert (await pressure(backing)).others_at_door == DOOR_LIMIT
