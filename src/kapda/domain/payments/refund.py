"""A refund: money on its way back, reserved before anybody is asked to send it.

| from      | verb    | to        | when                                                                        |
|-----------|---------|-----------|-----------------------------------------------------------------------------|
| -         | request | requested | the amount is reserved; the gateway may or may not have been asked          |
| requested | accept  | pending   | the gateway has it, and is sending the money                                |
| requested | process | processed | the gateway has it, and the money has gone                                  |
| requested | fail    | failed    | the gateway refused for good                                                |
| pending   | process | processed | the money has gone                                                          |
| pending   | fail    | failed    | the money could not be sent                                                 |
| processed | fail    | failed    | the money came back: it is owed again                                       |
| failed    | accept, | pending,  | it was refused, and an earlier call of ours that nobody had answered is     |
|           | process | processed | what the gateway has: as if it had never been refused                       |

Whether the gateway acted on an unanswered call is unknown while a refund is requested: its refunds of the payment are
looked through, by our own reference, before it is asked again under the same key. A failed refund's amount stays
reserved, because it is still owed: the case that its failure opens decides how it is paid. A refund that somebody made
at the gateway by hand was never owed: when it fails, its reservation ends with it, and once processed it stays so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, unique

from kapda.domain.payments.gateway import GatewayRefundState
from kapda.domain.shared.ids import CaseId, OrderId, PaymentId, RefundId
from kapda.domain.shared.money import Money

# The gateway answers about its own refunds at once; days pass only until the bank has moved.
_FIRST_CHECK = timedelta(seconds=5)
_LONGEST_CHECK = timedelta(hours=6)


@unique
class RefundState(Enum):
    """See the module's table."""

    REQUESTED = "requested"
    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


@unique
class RefundKind(Enum):
    """Why money goes back."""

    ORDER_CANCELLED = "order_cancelled"
    ORDER_LINES = "order_lines"
    CASE = "case"
    # Made at the gateway by somebody else's hand, and adopted.
    DASHBOARD = "dashboard"


_S = RefundState
TRANSITIONS: Mapping[tuple[RefundState, GatewayRefundState], RefundState] = {
    (_S.REQUESTED, GatewayRefundState.PENDING): _S.PENDING,
    (_S.REQUESTED, GatewayRefundState.PROCESSED): _S.PROCESSED,
    (_S.REQUESTED, GatewayRefundState.FAILED): _S.FAILED,
    (_S.PENDING, GatewayRefundState.PENDING): _S.PENDING,
    (_S.PENDING, GatewayRefundState.PROCESSED): _S.PROCESSED,
    (_S.PENDING, GatewayRefundState.FAILED): _S.FAILED,
    (_S.PROCESSED, GatewayRefundState.FAILED): _S.FAILED,
}
UNDER_WAY = frozenset({RefundState.REQUESTED, RefundState.PENDING})


@dataclass(frozen=True, slots=True)
class Refund:
    """See the module's text. Its id is our reference at the gateway, as receipt and as idempotency key."""

    id: RefundId
    kind: RefundKind
    payment_id: PaymentId
    gateway_payment_id: str
    order_id: OrderId | None
    case_id: CaseId | None
    amount: Money
    state: RefundState
    gateway_refund_id: str | None
    reason: str
    actor: str
    requested_at: datetime
    attempts: int = 0

    @property
    def idempotency_key(self) -> str:
        """The same for every try: at least ten characters of the gateway's alphabet."""
        return str(self.id)

    @property
    def was_refused(self) -> bool:
        """Whether it failed by a refusal alone: the gateway never said that it had it."""
        return self.state is RefundState.FAILED and self.gateway_refund_id is None

    def told(self, gateway_refund_id: str, state: GatewayRefundState) -> "Refund":
        """After the gateway told its state as it is now. Whatever the table has no way for changes nothing."""
        final = self.kind is RefundKind.DASHBOARD and self.state is RefundState.PROCESSED
        before = RefundState.REQUESTED if self.was_refused else self.state
        after = self.state if final else TRANSITIONS.get((before, state), self.state)
        return replace(self, state=after, gateway_refund_id=gateway_refund_id)

    def refused(self) -> "Refund":
        """After the gateway refused for good."""
        return replace(self, state=RefundState.FAILED) if self.state is RefundState.REQUESTED else self


def next_look(attempts: int) -> timedelta:
    """How long to wait before the refund is looked at again: doubling from five seconds to six hours."""
    return min(_FIRST_CHECK * (1 << min(attempts, 16)), _LONGEST_CHECK)
