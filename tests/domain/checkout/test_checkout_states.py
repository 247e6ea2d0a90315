"""Every verb in every state of a checkout."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from kapda.domain.checkout.checkout import (
    LIVE,
    TRANSITIONS,
    CheckoutState,
    CheckoutVerb,
    checkout_not_found,
)
from kapda.domain.shared.errors import FailedPreconditionError, NotFoundError, Reason
from tests.fakes.samples import NOON, checkout_in, checkout_line, rupees

S, V = CheckoutState, CheckoutVerb
# Written out again, from the prose: what the model's own table must say.
ALLOWED: dict[CheckoutState, dict[CheckoutVerb, CheckoutState]] = {
    S.OPENING: {
        V.OPEN: S.OPEN,
        V.FAIL: S.FAILED,
        V.SUPERSEDE: S.SUPERSEDED,
        V.ABANDON: S.ABANDONED,
        V.EXPIRE: S.EXPIRED,
    },
    S.OPEN: {
        V.PIN: S.CAPTURING,
        V.PLACE: S.PLACED,
        V.SUPERSEDE: S.SUPERSEDED,
        V.ABANDON: S.ABANDONED,
        V.EXPIRE: S.EXPIRED,
    },
    S.CAPTURING: {V.PLACE: S.PLACED, V.UNPIN: S.OPEN},
    S.EXPIRED: {V.PIN: S.CAPTURING, V.PLACE: S.PLACED},
    S.PLACED: {},
    S.SUPERSEDED: {},
    S.ABANDONED: {},
    S.FAILED: {},
}
PAIRS = list(product(S, V))


@pytest.mark.parametrize(("state", "verb"), PAIRS)
def test_a_verb_leads_where_the_table_says_or_is_refused(state: CheckoutState, verb: CheckoutVerb) -> None:
    checkout = checkout_in(state)
    target = ALLOWED[state].get(verb)
    assert checkout.allows(verb) is (target is not None)
    if target is not None:
        assert checkout.after(verb) == replace(checkout, state=target)
        return
    with pytest.raises(FailedPreconditionError) as refused:
        checkout.after(verb)
    assert refused.value.reason is Reason.CHECKOUT_STATE_INVALID
    assert refused.value.metadata == {"checkout_id": str(checkout.id), "state": state.value, "verb": verb.value}
    (precondition,) = refused.value.preconditions
    assert precondition.subject == f"checkouts/{checkout.id}"


def test_the_table_has_no_row_besides() -> None:
    assert {(state, verb): to for state, verbs in ALLOWED.items() for verb, to in verbs.items()} == TRANSITIONS


def test_only_checkouts_that_hold_stock_are_live() -> None:
    assert {S.OPENING, S.OPEN, S.CAPTURING} == LIVE
    assert all(TRANSITIONS[state, V.SUPERSEDE] not in LIVE for state in (S.OPENING, S.OPEN))


def test_opening_keeps_the_gateways_order() -> None:
    opened = checkout_in(S.OPENING).opened("order_1")
    assert (opened.state, opened.gateway_order_id) == (S.OPEN, "order_1")


@pytest.mark.parametrize("state", [state for state in S if state is not S.OPENING])
def test_what_is_not_opening_is_not_opened(state: CheckoutState) -> None:
    with pytest.raises(FailedPreconditionError):
        checkout_in(state).opened("order_1")


@pytest.mark.parametrize("state", S)
def test_a_checkout_serves_again_while_it_can_be_paid(state: CheckoutState) -> None:
    checkout = checkout_in(state)
    payable = state in (S.OPENING, S.OPEN)
    last_moment = checkout.pay_before - timedelta(microseconds=1)
    assert checkout.serves(b"content", NOON) is payable
    assert checkout.serves(b"content", last_moment) is payable
    assert not checkout.serves(b"content", checkout.pay_before)
    assert not checkout.serves(b"other content", NOON)


@pytest.mark.parametrize("state", S)
def test_only_an_unpaid_hold_runs_out_and_only_at_its_time(state: CheckoutState) -> None:
    checkout = checkout_in(state)
    assert not checkout.has_run_out(checkout.hold_until - timedelta(microseconds=1))
    assert checkout.has_run_out(checkout.hold_until) is (state in (S.OPENING, S.OPEN))


def test_a_checkout_costs_its_lines_and_its_delivery() -> None:
    checkout = checkout_in(
        S.OPEN, checkout_line(1, quantity=2), checkout_line(2, price=rupees(999)), shipping=rupees(99)
    )
    assert checkout.items_total == rupees(3_997)
    assert checkout.total == rupees(4_096)


def test_a_hold_is_known_by_its_checkout() -> None:
    checkout = checkout_in(S.OPEN)
    assert checkout.hold_id == checkout.id


def test_another_customers_checkout_is_not_found() -> None:
    refusal = checkout_not_found(checkout_in(S.OPEN).id)
    assert isinstance(refusal, NotFoundError)
    assert refusal.reason is Reason.CHECKOUT_NOT_FOUND
