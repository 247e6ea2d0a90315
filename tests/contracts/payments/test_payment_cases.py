"""The orphan desk's cases as their port promises."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase, Resolution
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CaseId, RefundId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, NOON, checkout_in, kept_payment

LATER = NOON + timedelta(hours=1)
REFUND = RefundId(UUID(int=0x4E))


async def opened(
    backing: Backing, number: int = 1, minutes: int = 0, kind: CaseKind = CaseKind.AMOUNT_MISMATCH
) -> PaymentCase:
    """A case about a payment of Asha's one checkout."""
    checkout = checkout_in(CheckoutState.OPENING)
    payment = kept_payment(checkout, number)
    case = PaymentCase(
        id=CaseId(UUID(int=number)),
        kind=kind,
        gateway_payment_id=payment.gateway_payment_id,
        payment_id=payment.id,
        checkout_id=checkout.id,
        refund_id=None,
        amount=payment.amount,
        evidence={"checkout_state": "placed", "payment_amount": "INR 1,499.00"},
        state=CaseState.OPEN,
        opened_at=NOON + timedelta(minutes=minutes),
    )
    async with backing.unit_of_work() as uow:
        known = await uow.checkouts.find(checkout.id)
    if known is None:
        await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        if known is None:
            await uow.checkouts.add(checkout, NOON, NOON)
        await uow.payments.add(payment)
        await uow.commit()
    await add(backing, case)
    return case


async def add(backing: Backing, case: PaymentCase) -> None:
    async with backing.unit_of_work() as uow:
        await uow.cases.add(case)
        await uow.commit()


async def test_a_case_is_found_by_its_id_and_by_its_payment(backing: Backing) -> None:
    case = await opened(backing)
    async with backing.unit_of_work() as uow:
        assert await uow.cases.of_payment(case.gateway_payment_id) == case
        assert await uow.cases.find(case.id) == case
        assert await uow.cases.lock(case.id) == case
        assert await uow.cases.of_payment("pay_Unknown") is None
        assert await uow.cases.find(CaseId(ASHA)) is None
        assert await uow.cases.lock(CaseId(ASHA)) is None
        assert await uow.cases.of_refund(REFUND) is None


async def test_a_payments_money_has_one_case_for_good_and_each_of_its_refunds_another(backing: Backing) -> None:
    case = await opened(backing)
    of_refund = replace(case, id=CaseId(UUID(int=9)), kind=CaseKind.REFUND_FAILED, refund_id=REFUND)
    await add(backing, of_refund)
    for twin in (case, of_refund):
        with pytest.raises(AbortedError) as lost:
            await add(backing, replace(twin, id=CaseId(ASHA)))
        assert lost.value.reason is Reason.CONCURRENT_UPDATE
    async with backing.unit_of_work() as uow:
        assert await uow.cases.of_payment(case.gateway_payment_id) == case
        assert await uow.cases.of_refund(REFUND) == of_refund


async def test_how_a_case_ended_is_kept_and_nothing_else_changes(backing: Backing) -> None:
    case = await opened(backing)
    ended = case.resolved(Resolution.REFUND, "desk", "the customer asked", LATER)
    async with backing.unit_of_work() as uow:
        await uow.cases.save(replace(ended, evidence={}, kind=CaseKind.STOCK_GONE))
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.cases.find(case.id) == ended


async def test_a_case_that_ended_by_itself_is_kept_as_it_is(backing: Backing) -> None:
    case = await opened(backing)
    ended = replace(case, id=CaseId(UUID(int=9)), refund_id=REFUND, kind=CaseKind.STOCK_GONE).resolved_by_itself(LATER)
    await add(backing, ended)
    async with backing.unit_of_work() as uow:
        assert await uow.cases.of_refund(REFUND) == ended


async def test_open_cases_are_listed_oldest_first_page_by_page(backing: Backing) -> None:
    newest, oldest, twin = await opened(backing, 1, 2), await opened(backing, 2, 1), await opened(backing, 3, 1)
    ended = await opened(backing, 4)
    async with backing.unit_of_work() as uow:
        await uow.cases.save(ended.resolved(Resolution.WRITE_OFF, "desk", "two paise", LATER))
        await uow.commit()
    async with backing.unit_of_work() as uow:
        first = await uow.cases.open_cases(PageRequest(1))
        second = await uow.cases.open_cases(PageRequest(1, first.next_cursor))
        rest = await uow.cases.open_cases(PageRequest(5, second.next_cursor))
    assert (*first.items, *second.items, *rest.items) == (oldest, twin, newest)
    assert rest.next_cursor is None
