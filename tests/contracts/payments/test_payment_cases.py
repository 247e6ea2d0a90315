"""Cases of captured money as their port promises."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CaseId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, NOON, checkout_in, kept_payment


async def opened(backing: Backing, number: int, minutes: int = 0) -> PaymentCase:
    """A case about a payment of Asha's one checkout."""
    checkout = checkout_in(CheckoutState.OPENING)
    payment = kept_payment(checkout, number)
    case = PaymentCase(
        id=CaseId(UUID(int=number)),
        kind=CaseKind.AMOUNT_MISMATCH,
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
        await uow.cases.add(case)
        await uow.commit()
    return case


async def open_again(backing: Backing, case: PaymentCase) -> None:
    async with backing.unit_of_work() as uow:
        await uow.cases.add(replace(case, id=CaseId(ASHA)))
        await uow.commit()


async def test_a_case_is_found_by_its_payment(backing: Backing) -> None:
    case = await opened(backing, 1)
    async with backing.unit_of_work() as uow:
        assert await uow.cases.of_payment(case.gateway_payment_id) == case
        assert await uow.cases.of_payment("pay_Unknown") is None


async def test_a_payment_has_one_case_for_good(backing: Backing) -> None:
    case = await opened(backing, 1)
    with pytest.raises(AbortedError) as lost:
        await open_again(backing, case)
    assert lost.value.reason is Reason.CONCURRENT_UPDATE


async def test_open_cases_are_listed_oldest_first_page_by_page(backing: Backing) -> None:
    newest, oldest, twin = await opened(backing, 1, 2), await opened(backing, 2, 1), await opened(backing, 3, 1)
    async with backing.unit_of_work() as uow:
        first = await uow.cases.open_cases(PageRequest(1))
        second = await uow.cases.open_cases(PageRequest(1, first.next_cursor))
        rest = await uow.cases.open_cases(PageRequest(5, second.next_cursor))
    assert (*first.items, *second.items, *rest.items) == (oldest, twin, newest)
    assert rest.next_cursor is None
