"""A refund's table, every state with every word of the gateway; what never moves back; how long to wait."""

import itertools
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.payments.gateway import GatewayRefundState
from kapda.domain.payments.refund import UNDER_WAY, Refund, RefundKind, RefundState, next_look
from kapda.domain.shared.ids import PaymentId, RefundId
from tests.fakes.samples import NOON, rupees

S, G = RefundState, GatewayRefundState
TABLE = {
    (S.REQUESTED, G.PENDING): S.PENDING,
    (S.REQUESTED, G.PROCESSED): S.PROCESSED,
    (S.REQUESTED, G.FAILED): S.FAILED,
    (S.PENDING, G.PENDING): S.PENDING,
    (S.PENDING, G.PROCESSED): S.PROCESSED,
    (S.PENDING, G.FAILED): S.FAILED,
    (S.PROCESSED, G.PENDING): S.PROCESSED,
    (S.PROCESSED, G.PROCESSED): S.PROCESSED,
    (S.PROCESSED, G.FAILED): S.FAILED,
    (S.FAILED, G.PENDING): S.FAILED,
    (S.FAILED, G.PROCESSED): S.FAILED,
    (S.FAILED, G.FAILED): S.FAILED,
}


def refund_in(state: RefundState, kind: RefundKind = RefundKind.ORDER_LINES) -> Refund:
    return Refund(
        id=RefundId(UUID(int=0x5EF)),
        kind=kind,
        payment_id=PaymentId(UUID(int=0xFA)),
        gateway_payment_id="pay_KapdaSample0001",
        order_id=None,
        case_id=None,
        amount=rupees(100),
        state=state,
        gateway_refund_id=None if state is S.REQUESTED else "rfnd_KapdaSample001",
        reason="torn",
        actor="admin",
        requested_at=NOON,
    )


@pytest.mark.parametrize(("state", "told"), list(itertools.product(S, G)))
def test_every_state_hears_every_word_of_the_gateway(state: RefundState, told: GatewayRefundState) -> None:
    refund = refund_in(state)
    assert refund.told("rfnd_KapdaSample001", told) == replace(
        refund, state=TABLE[state, told], gateway_refund_id="rfnd_KapdaSample001"
    )


@pytest.mark.parametrize(("told", "state"), [(G.PENDING, S.PENDING), (G.PROCESSED, S.PROCESSED), (G.FAILED, S.FAILED)])
def test_what_was_refused_and_is_at_the_gateway_all_the_same_is_as_the_gateway_says(
    told: GatewayRefundState, state: RefundState
) -> None:
    refused = refund_in(S.REQUESTED).refused()
    assert refused.was_refused
    known = refused.told("rfnd_KapdaSample001", told)
    assert (known.state, known.gateway_refund_id, known.was_refused) == (state, "rfnd_KapdaSample001", False)


@pytest.mark.parametrize("told", list(G))
def test_a_refund_made_by_hand_stays_processed(told: GatewayRefundState) -> None:
    refund = refund_in(S.PROCESSED, RefundKind.DASHBOARD)
    assert refund.told("rfnd_KapdaSample001", told) == refund


@given(st.permutations([G.PENDING, G.PENDING, G.PROCESSED, G.PROCESSED]))
def test_f32_in_whatever_order_and_however_often_processed_is_where_it_ends(words: list[GatewayRefundState]) -> None:
    refund = refund_in(S.REQUESTED)
    for word in words:
        refund = refund.told("rfnd_KapdaSample001", word)
    assert refund.state is S.PROCESSED


@pytest.mark.parametrize("state", list(S))
def test_a_refusal_ends_only_what_was_never_accepted(state: RefundState) -> None:
    refund = refund_in(state)
    after = replace(refund, state=S.FAILED) if state is S.REQUESTED else refund
    assert refund.refused() == after


def test_what_is_under_way_is_looked_at_again() -> None:
    assert {S.REQUESTED, S.PENDING} == UNDER_WAY


def test_the_key_is_the_same_at_every_try_and_fits_the_gateways_alphabet() -> None:
    refund = refund_in(S.REQUESTED)
    assert refund.idempotency_key == replace(refund, attempts=9, state=S.PENDING).idempotency_key
    assert len(refund.idempotency_key) >= 10
    assert set(refund.idempotency_key) <= set("0123456789abcdefghijklmnopqrstuvwxyz-_")


def test_looks_come_soon_at_first_and_every_six_hours_at_last() -> None:
    assert [next_look(attempts).total_seconds() for attempts in range(4)] == [5, 10, 20, 40]
    assert next_look(13) == timedelta(hours=6)
    assert next_look(10**6) == timedelta(hours=6)


@given(st.integers(0, 10**4))
def test_looks_never_come_sooner_than_the_one_before(attempts: int) -> None:
    assert timedelta(0) < next_look(attempts) <= next_look(attempts + 1) <= timedelta(hours=6)
