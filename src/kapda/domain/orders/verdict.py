"""What to do with a payment: the one decision of the finisher, pure and in full.

| payment                                      | checkout                      | verdict                                |
|----------------------------------------------|-------------------------------|----------------------------------------|
| any, it is the payment of the order          | placed                        | PLACED already                         |
| not captured, not authorised                 | any                           | WAIT: nothing to do about it now       |
| not captured, given back by the gateway      | any                           | WAIT                                   |
| authorised, amount or currency differs       | any                           | WAIT: left alone, the gateway refunds  |
| authorised                                   | open, capturing, expired      | CAPTURE                                |
| authorised                                   | any other                     | WAIT: left alone, the gateway refunds  |
| captured, for an order we never opened       | any                           | CASE gateway_order_unknown             |
| captured, amount or currency differs         | any                           | CASE amount_mismatch                   |
| captured, something refunded already         | any not placed by it          | CASE refunded_at_gateway               |
| captured                                     | open, capturing               | PLACE                                  |
| captured                                     | expired                       | REHOLD: place if stock can be held     |
| captured, another payment paid the order     | placed                        | CASE second_payment                    |
| captured                                     | superseded, abandoned, failed | CASE of that name                      |
| captured                                     | opening                       | CASE gateway_order_unknown             |

The first line holds whatever the payment looked like when it was asked about: another door may have captured it and
placed the order since. "An order we never opened" names our checkout in its receipt but is not the one the checkout was
opened with.
"""

from dataclasses import dataclass
from enum import Enum, unique

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.payment_case import CaseKind


@unique
class Step(Enum):
    """See the module's table."""

    WAIT = "wait"
    CAPTURE = "capture"
    PLACED = "placed"
    PLACE = "place"
    REHOLD = "rehold"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The step, and for a case its kind."""

    step: Step
    case: CaseKind | None = None


_CAPTURABLE = frozenset({CheckoutState.OPEN, CheckoutState.CAPTURING, CheckoutState.EXPIRED})
_BY_STATE = {
    CheckoutState.OPENING: Verdict(Step.CASE, CaseKind.GATEWAY_ORDER_UNKNOWN),
    CheckoutState.OPEN: Verdict(Step.PLACE),
    CheckoutState.CAPTURING: Verdict(Step.PLACE),
    CheckoutState.EXPIRED: Verdict(Step.REHOLD),
    CheckoutState.PLACED: Verdict(Step.CASE, CaseKind.SECOND_PAYMENT),
    CheckoutState.SUPERSEDED: Verdict(Step.CASE, CaseKind.CHECKOUT_SUPERSEDED),
    CheckoutState.ABANDONED: Verdict(Step.CASE, CaseKind.CHECKOUT_ABANDONED),
    CheckoutState.FAILED: Verdict(Step.CASE, CaseKind.CHECKOUT_FAILED),
}


def judge(checkout: Checkout, payment: GatewayPayment, *, paid_the_order: bool) -> Verdict:
    """`paid_the_order` is whether the checkout's order was placed for this very payment."""
    if paid_the_order:
        return Verdict(Step.PLACED)
    fits = payment.amount == checkout.total
    own_order = payment.order_id is not None and payment.order_id == checkout.gateway_order_id
    if not payment.captured:
        authorised = payment.state is GatewayPaymentState.AUTHORIZED
        capture = authorised and fits and own_order and checkout.state in _CAPTURABLE
        return Verdict(Step.CAPTURE if capture else Step.WAIT)
    if not own_order:
        return Verdict(Step.CASE, CaseKind.GATEWAY_ORDER_UNKNOWN)
    if not fits:
        return Verdict(Step.CASE, CaseKind.AMOUNT_MISMATCH)
    if payment.amount_refunded.amount_minor:
        return Verdict(Step.CASE, CaseKind.REFUNDED_AT_GATEWAY)
    return _BY_STATE[checkout.state]
