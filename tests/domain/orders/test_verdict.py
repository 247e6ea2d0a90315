"""What is done with a payment: every row of the table, in every state of its checkout."""

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.verdict import Step, Verdict, judge
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.payment_case import CaseKind
from kapda.domain.shared.money import Money
from tests.fakes.samples import GATEWAY_ORDER, checkout_in, payment_of, refunded_by_gateway, rupees

S, P = CheckoutState, GatewayPaymentState
WAIT, CAPTURE, PLACED = Verdict(Step.WAIT), Verdict(Step.CAPTURE), Verdict(Step.PLACED)
# What captured money of the right amount comes to, by the state of its checkout.
CAPTURED = {
    S.OPENING: Verdict(Step.CASE, CaseKind.GATEWAY_ORDER_UNKNOWN),
    S.OPEN: Verdict(Step.PLACE),
    S.CAPTURING: Verdict(Step.PLACE),
    S.EXPIRED: Verdict(Step.REHOLD),
    S.PLACED: Verdict(Step.CASE, CaseKind.SECOND_PAYMENT),
    S.SUPERSEDED: Verdict(Step.CASE, CaseKind.CHECKOUT_SUPERSEDED),
    S.ABANDONED: Verdict(Step.CASE, CaseKind.CHECKOUT_ABANDONED),
    S.FAILED: Verdict(Step.CASE, CaseKind.GATEWAY_ORDER_UNKNOWN),
}
CAPTURABLE = (S.OPEN, S.CAPTURING, S.EXPIRED)
WRONG_AMOUNTS = [rupees(1), rupees(1_498), rupees(1_500), Money(149_900, "USD")]


def product(*choices: Iterable[object]) -> list[tuple[object, ...]]:
    """Every combination."""
    return list(itertools.product(*choices))


def paid(checkout: Checkout, state: GatewayPaymentState = P.CAPTURED) -> GatewayPayment:
    """Under the checkout's own gateway order, or some order where it has none."""
    return replace(payment_of(checkout, state), order_id=checkout.gateway_order_id or GATEWAY_ORDER)


def test_the_table_knows_every_state() -> None:
    assert set(CAPTURED) == set(S)


@pytest.mark.parametrize(("state", "payment_state"), product(S, (P.CREATED, P.FAILED)))
def test_without_money_there_is_nothing_to_do(state: CheckoutState, payment_state: GatewayPaymentState) -> None:
    checkout = checkout_in(state)
    assert judge(checkout, paid(checkout, payment_state), paid_the_order=False) == WAIT


@pytest.mark.parametrize("state", S)
def test_what_the_gateway_gave_back_uncaptured_is_left_alone(state: CheckoutState) -> None:
    checkout = checkout_in(state)
    returned = refunded_by_gateway(paid(checkout, P.AUTHORIZED))
    assert judge(checkout, returned, paid_the_order=False) == WAIT


@pytest.mark.parametrize("state", S)
def test_authorised_money_is_captured_where_it_can_still_buy(state: CheckoutState) -> None:
    checkout = checkout_in(state)
    verdict = judge(checkout, paid(checkout, P.AUTHORIZED), paid_the_order=False)
    assert verdict == (CAPTURE if state in CAPTURABLE else WAIT)


@pytest.mark.parametrize(("state", "amount"), product(S, WRONG_AMOUNTS))
def test_authorised_money_of_another_amount_is_left_to_the_gateways_refund(state: CheckoutState, amount: Money) -> None:
    checkout = checkout_in(state)
    payment = replace(paid(checkout, P.AUTHORIZED), amount=amount)
    assert judge(checkout, payment, paid_the_order=False) == WAIT


@pytest.mark.parametrize(("state", "order_id"), product(S, ("order_Another0000001", None)))
def test_authorised_money_of_another_order_is_left_to_the_gateways_refund(
    state: CheckoutState, order_id: str | None
) -> None:
    checkout = checkout_in(state)
    payment = replace(paid(checkout, P.AUTHORIZED), order_id=order_id)
    assert judge(checkout, payment, paid_the_order=False) == WAIT


@pytest.mark.parametrize(("state", "expected"), list(CAPTURED.items()))
def test_captured_money_goes_where_its_checkout_stands(state: CheckoutState, expected: Verdict) -> None:
    checkout = checkout_in(state)
    assert judge(checkout, paid(checkout), paid_the_order=False) == expected


def test_a_failed_checkout_that_had_a_gateway_order_all_the_same_is_its_own_case() -> None:
    checkout = replace(checkout_in(S.FAILED), gateway_order_id=GATEWAY_ORDER)
    expected = Verdict(Step.CASE, CaseKind.CHECKOUT_FAILED)
    assert judge(checkout, paid(checkout), paid_the_order=False) == expected


@pytest.mark.parametrize(("state", "amount"), product(S, WRONG_AMOUNTS))
def test_captured_money_of_another_amount_or_currency_never_makes_an_order(state: CheckoutState, amount: Money) -> None:
    checkout = replace(checkout_in(state), gateway_order_id=GATEWAY_ORDER)
    payment = replace(paid(checkout), amount=amount)
    expected = Verdict(Step.CASE, CaseKind.AMOUNT_MISMATCH)
    assert judge(checkout, payment, paid_the_order=False) == expected


@pytest.mark.parametrize(("state", "order_id"), product(S, ("order_Another0000001", None)))
def test_captured_money_of_an_order_we_never_opened_is_a_case(state: CheckoutState, order_id: str | None) -> None:
    checkout = checkout_in(state)
    payment = replace(paid(checkout), order_id=order_id)
    expected = Verdict(Step.CASE, CaseKind.GATEWAY_ORDER_UNKNOWN)
    assert judge(checkout, payment, paid_the_order=False) == expected


@pytest.mark.parametrize("order_id", ["order_Another0000001", None])
def test_an_unknown_order_outweighs_a_wrong_amount(order_id: str | None) -> None:
    checkout = checkout_in(S.OPEN)
    payment = replace(paid(checkout), order_id=order_id, amount=rupees(1))
    assert judge(checkout, payment, paid_the_order=False).case is CaseKind.GATEWAY_ORDER_UNKNOWN


@pytest.mark.parametrize(("state", "refunded"), product(S, (rupees(1), rupees(1_499))))
def test_captured_money_that_has_gone_back_in_part_or_whole_makes_no_order(
    state: CheckoutState, refunded: Money
) -> None:
    checkout = replace(checkout_in(state), gateway_order_id=GATEWAY_ORDER)
    payment = replace(paid(checkout), amount_refunded=refunded)
    expected = Verdict(Step.CASE, CaseKind.REFUNDED_AT_GATEWAY)
    assert judge(checkout, payment, paid_the_order=False) == expected


@pytest.mark.parametrize("payment_state", P)
def test_the_payment_of_the_order_stays_the_payment_of_the_order(payment_state: GatewayPaymentState) -> None:
    checkout = checkout_in(S.PLACED)
    payment = payment_of(checkout, payment_state)
    assert judge(checkout, payment, paid_the_order=True) == PLACED
    partly = replace(payment, amount_refunded=rupees(1))
    assert judge(checkout, partly, paid_the_order=True) == PLACED


@pytest.mark.parametrize(("state", "payment_state", "known"), product(S, P, (False, True)))
def test_every_pair_has_a_verdict_and_a_case_always_a_kind(
    state: CheckoutState, payment_state: GatewayPaymentState, known: bool
) -> None:
    checkout = checkout_in(state)
    verdict = judge(checkout, payment_of(checkout, payment_state), paid_the_order=known)
    assert (verdict.step is Step.CASE) == (verdict.case is not None)
