"""Refunds as their port promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.payments.gateway import GatewayRefundState
from kapda.domain.payments.refund import UNDER_WAY, Refund, RefundKind, RefundState
from kapda.domain.shared.errors import AbortedError
from kapda.domain.shared.ids import RefundId
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, NOON, checkout_in, kept_payment, rupees

MINUTE = timedelta(minutes=1)
NEVER = timedelta(days=3_650)
PAYMENT = kept_payment(checkout_in(CheckoutState.OPENING))


async def payment_kept(backing: Backing) -> None:
    """The payment that the refunds are of."""
    await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        await uow.checkouts.add(checkout_in(CheckoutState.OPENING), NOON, NOON)
        await uow.payments.add(PAYMENT)
        await uow.commit()


def refund(number: int = 1) -> Refund:
    return Refund(
        id=RefundId(UUID(int=0x4E00 + number)),
        kind=RefundKind.ORDER_LINES,
        payment_id=PAYMENT.id,
        gateway_payment_id=PAYMENT.gateway_payment_id,
        order_id=None,
        case_id=None,
        amount=rupees(100),
        state=RefundState.REQUESTED,
        gateway_refund_id=None,
        reason="a torn seam",
        actor="desk",
        requested_at=NOON,
    )


async def kept(backing: Backing, number: int = 1, due_at: datetime = NOON) -> Refund:
    made = refund(number)
    async with backing.unit_of_work() as uow:
        await uow.refunds.add(made, due_at)
        await uow.commit()
    return made


async def save(backing: Backing, changed: Refund) -> None:
    async with backing.unit_of_work() as uow:
        await uow.refunds.save(changed, NOON)
        await uow.commit()


async def test_a_failed_refund_that_is_under_way_again_is_due_again(backing: Backing) -> None:
    await payment_kept(backing)
    made = await kept(backing)
    await save(backing, made.refused())
    assert await due(backing, NOON) == ()
    await save(backing, made.refused().told("rfnd_KapdaSample001", GatewayRefundState.PENDING))
    assert await due(backing, NOON - timedelta(seconds=1)) == ()
    assert await due(backing, NOON) == (made.id,)


async def due(backing: Backing, at: datetime, limit: int = 10) -> tuple[RefundId, ...]:
    async with backing.unit_of_work() as uow:
        return await uow.refunds.due(at, limit)


async def test_a_refund_is_read_as_it_was_kept(backing: Backing) -> None:
    await payment_kept(backing)
    made = await kept(backing)
    async with backing.unit_of_work() as uow:
        assert await uow.refunds.get(made.id) == made
        assert await uow.refunds.lock(made.id) == made
        assert await uow.refunds.get(RefundId(ASHA)) is None
        assert await uow.refunds.lock(RefundId(ASHA)) is None


async def test_a_payments_refunds_are_read_oldest_first(backing: Backing) -> None:
    await payment_kept(backing)
    second, first = await kept(backing, 2), await kept(backing, 1)
    async with backing.unit_of_work() as uow:
        assert await uow.refunds.of_payment(PAYMENT.id) == (first, second)


@pytest.mark.parametrize("state", RefundState)
async def test_state_and_gateway_id_are_saved_and_what_has_ended_is_not_due(
    backing: Backing, state: RefundState
) -> None:
    await payment_kept(backing)
    made = await kept(backing)
    changed = replace(made, state=state, gateway_refund_id="rfnd_1")
    await save(backing, replace(changed, reason="another", amount=rupees(1)))
    async with backing.unit_of_work() as uow:
        assert await uow.refunds.get(made.id) == changed
        assert await uow.refunds.find_by_gateway_id("rfnd_1") == made.id
        assert await uow.refunds.find_by_gateway_id("rfnd_2") is None
    assert await due(backing, NOON + NEVER) == ((made.id,) if state in UNDER_WAY else ())


async def test_two_refunds_never_share_one_of_the_gateways(backing: Backing) -> None:
    await payment_kept(backing)
    first, second = await kept(backing, 1), await kept(backing, 2)
    await save(backing, replace(first, state=RefundState.PENDING, gateway_refund_id="rfnd_1"))
    with pytest.raises(AbortedError):
        await save(backing, replace(second, state=RefundState.PENDING, gateway_refund_id="rfnd_1"))


async def test_a_postponed_refund_is_due_when_its_time_comes(backing: Backing) -> None:
    await payment_kept(backing)
    made = await kept(backing)
    async with backing.unit_of_work() as uow:
        await uow.refunds.postpone(made.id, 3, NOON + MINUTE)
        await uow.commit()
    assert await due(backing, NOON + MINUTE - timedelta(microseconds=1)) == ()
    assert await due(backing, NOON + MINUTE) == (made.id,)
    async with backing.unit_of_work() as uow:
        assert await uow.refunds.get(made.id) == replace(made, attempts=3)


async def test_a_refund_that_has_ended_is_not_postponed(backing: Backing) -> None:
    await payment_kept(backing)
    made = await kept(backing)
    failed = replace(made, state=RefundState.FAILED)
    await save(backing, failed)
    async with backing.unit_of_work() as uow:
        await uow.refunds.postpone(made.id, 3, NOON)
        assert await uow.refunds.get(made.id) == failed
        await uow.commit()
    assert await due(backing, NOON + NEVER) == ()


async def test_refunds_are_due_longest_first_and_no_more_than_asked_for(backing: Backing) -> None:
    await payment_kept(backing)
    for number, minutes in ((1, 3), (2, 1), (3, 2)):
        await kept(backing, number, NOON + minutes * MINUTE)
    ids = tuple(refund(number).id for number in (2, 3, 1))
    assert await due(backing, NOON + 3 * MINUTE) == ids
    assert await due(backing, NOON + 3 * MINUTE, 2) == ids[:2]
    assert await due(backing, NOON + MINUTE) == ids[:1]
