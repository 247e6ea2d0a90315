"""What a person may do about each kind of case, in full."""

import itertools
from uuid import UUID

import pytest

from kapda.domain.payments.payment_case import (
    ALLOWED,
    BY_ITSELF,
    CaseKind,
    CaseState,
    PaymentCase,
    Resolution,
    refund_under_way,
)
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import CaseId, CheckoutId, PaymentId
from tests.fakes.samples import NOON, rupees

K, R = CaseKind, Resolution
TABLE: dict[CaseKind, set[Resolution]] = {
    K.SECOND_PAYMENT: set(),
    K.CHECKOUT_SUPERSEDED: set(),
    K.CHECKOUT_ABANDONED: set(),
    K.CHECKOUT_FAILED: set(),
    K.STOCK_GONE: set(),
    K.AMOUNT_MISMATCH: {R.REFUND, R.WRITE_OFF},
    K.REFUNDED_AT_GATEWAY: {R.REFUND, R.WRITE_OFF},
    K.GATEWAY_ORDER_UNKNOWN: {R.PLACE, R.REFUND},
    K.REFUND_FAILED: {R.REFUND, R.WRITE_OFF},
    K.DASHBOARD_REFUND: {R.ATTACH, R.WRITE_OFF},
}


def case_of(kind: CaseKind) -> PaymentCase:
    return PaymentCase(
        id=CaseId(UUID(int=0xCA5E)),
        kind=kind,
        gateway_payment_id="pay_KapdaSample0001",
        payment_id=PaymentId(UUID(int=0xFA)),
        checkout_id=CheckoutId(UUID(int=0xC0)),
        refund_id=None,
        amount=rupees(100),
        evidence={},
        state=CaseState.OPEN,
        opened_at=NOON,
    )


def test_every_kind_has_its_row() -> None:
    assert {kind: set(allowed) for kind, allowed in ALLOWED.items()} == TABLE
    assert {kind for kind, allowed in TABLE.items() if not allowed} == BY_ITSELF


@pytest.mark.parametrize(("kind", "resolution"), list(itertools.product(K, R)))
def test_a_person_may_do_what_the_table_says_and_nothing_else(kind: CaseKind, resolution: Resolution) -> None:
    case = case_of(kind)
    if resolution in TABLE[kind]:
        ended = case.resolved(resolution, "admin Meera", "as agreed", NOON)
        assert (ended.state, ended.resolution, ended.resolved_at) == (CaseState.RESOLVED, resolution, NOON)
        assert (ended.resolved_by, ended.resolution_reason) == ("admin Meera", "as agreed")
        return
    with pytest.raises(FailedPreconditionError) as refused:
        case.resolved(resolution, "admin Meera", "as agreed", NOON)
    assert refused.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    assert refused.value.metadata["allowed"] == ",".join(sorted(allowed.value for allowed in TABLE[kind]))


@pytest.mark.parametrize(("kind", "resolution"), list(itertools.product(K, R)))
def test_what_has_ended_is_not_decided_again(kind: CaseKind, resolution: Resolution) -> None:
    for ended in (
        case_of(kind).resolved_by_itself(NOON),
        case_of(kind).sent_back_by_hand(NOON),
        case_of(kind).came_to_nothing(NOON),
        case_of(kind).had_gone(NOON),
    ):
        assert ended.allowed == frozenset()
        with pytest.raises(FailedPreconditionError):
            ended.resolved(resolution, "admin Meera", "again", NOON)


def test_what_ends_by_itself_says_who_and_why() -> None:
    case = case_of(K.STOCK_GONE)
    assert (case.resolved_by_itself(NOON).resolution, case.resolved_by_itself(NOON).resolved_by) == (
        R.REFUND,
        "finisher",
    )
    assert (case.sent_back_by_hand(NOON).resolution, case.sent_back_by_hand(NOON).resolved_by) == (R.REFUND, "gateway")
    assert (case.had_gone(NOON).resolution, case.had_gone(NOON).resolved_by) == (R.REFUND, "gateway")
    assert (case.came_to_nothing(NOON).resolution, case.came_to_nothing(NOON).resolved_by) == (R.WRITE_OFF, "gateway")


def test_what_ended_it_can_come_to_nothing() -> None:
    case = case_of(K.REFUND_FAILED)
    assert case.had_gone(NOON).reopened() == case


def test_a_case_whose_money_is_on_its_way_waits() -> None:
    refusal = refund_under_way(case_of(K.AMOUNT_MISMATCH))
    assert refusal.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    assert "under way" in str(refusal)
