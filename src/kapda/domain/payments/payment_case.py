"""The orphan desk: captured money without an order, and refunds that went wrong, until somebody or something ends them.

What a machine can decide it decides at once, and the case is only its record: money for a checkout that cannot become an
order any more goes back. What it cannot decide stays open for a person, who may do what the table allows:

| kind                  | opened when                                              | by itself | a person may           |
|-----------------------|----------------------------------------------------------|-----------|------------------------|
| second_payment        | another payment has paid the order                       | refund    |                        |
| checkout_superseded   | the customer had started another checkout                | refund    |                        |
| checkout_abandoned    | the customer had given up                                | refund    |                        |
| checkout_failed       | the gateway had refused the checkout's order             | refund    |                        |
| stock_gone            | paid late, and the pieces are sold                       | refund    |                        |
| amount_mismatch       | not the amount or currency of its checkout               | -         | refund, write off      |
| refunded_at_gateway   | something had gone back before the order could be placed | -         | refund, write off      |
| gateway_order_unknown | names our checkout, by an order we did not open          | -         | place, refund          |
| refund_failed         | the gateway could not send a refund                      | -         | refund, write off      |
| dashboard_refund      | money of an order went back that we did not send         | -         | attach, write off      |

To place is to make the order after all. To attach is to take the money that went back out of the order it belongs to, from
each line's parties. To write off is to record that nothing more will be done, and why. Nothing can be decided while a
refund of the money in question is under way. What somebody settles at the gateway by hand ends its case by itself: all of
a case's money sent back, a failed refund's amount sent anew, a refused refund that had gone all the same, or a refund that
came to nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.errors import FailedPreconditionError, NotFoundError, Precondition, Reason
from kapda.domain.shared.ids import CaseId, CheckoutId, PaymentId, RefundId
from kapda.domain.shared.money import Money


@unique
class CaseKind(Enum):
    """See the module's table."""

    SECOND_PAYMENT = "second_payment"
    CHECKOUT_SUPERSEDED = "checkout_superseded"
    CHECKOUT_ABANDONED = "checkout_abandoned"
    CHECKOUT_FAILED = "checkout_failed"
    STOCK_GONE = "stock_gone"
    AMOUNT_MISMATCH = "amount_mismatch"
    REFUNDED_AT_GATEWAY = "refunded_at_gateway"
    GATEWAY_ORDER_UNKNOWN = "gateway_order_unknown"
    REFUND_FAILED = "refund_failed"
    DASHBOARD_REFUND = "dashboard_refund"


@unique
class Resolution(Enum):
    """How a case ends."""

    PLACE = "place"
    REFUND = "refund"
    ATTACH = "attach"
    WRITE_OFF = "write_off"


@unique
class CaseState(Enum):
    """OPEN: somebody has to decide. RESOLVED: it has been decided."""

    OPEN = "open"
    RESOLVED = "resolved"


_K, _R = CaseKind, Resolution
BY_ITSELF = frozenset(
    {_K.SECOND_PAYMENT, _K.CHECKOUT_SUPERSEDED, _K.CHECKOUT_ABANDONED, _K.CHECKOUT_FAILED, _K.STOCK_GONE}
)
ALLOWED: Mapping[CaseKind, frozenset[Resolution]] = {
    **{kind: frozenset() for kind in BY_ITSELF},
    _K.AMOUNT_MISMATCH: frozenset({_R.REFUND, _R.WRITE_OFF}),
    _K.REFUNDED_AT_GATEWAY: frozenset({_R.REFUND, _R.WRITE_OFF}),
    _K.GATEWAY_ORDER_UNKNOWN: frozenset({_R.PLACE, _R.REFUND}),
    _K.REFUND_FAILED: frozenset({_R.REFUND, _R.WRITE_OFF}),
    _K.DASHBOARD_REFUND: frozenset({_R.ATTACH, _R.WRITE_OFF}),
}


@dataclass(frozen=True, slots=True)
class PaymentCase:
    """A case. `amount` is the money in question; `refund_id` the refund that went wrong, or the one nobody here sent."""

    id: CaseId
    kind: CaseKind
    gateway_payment_id: str
    payment_id: PaymentId
    checkout_id: CheckoutId
    refund_id: RefundId | None
    amount: Money
    evidence: Mapping[str, str]
    state: CaseState
    opened_at: datetime
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution_reason: str | None = None

    @property
    def allowed(self) -> frozenset[Resolution]:
        """What a person may still do."""
        return ALLOWED[self.kind] if self.state is CaseState.OPEN else frozenset()

    def resolved(self, resolution: Resolution, by: str, reason: str, at: datetime) -> "PaymentCase":
        """Ended by a person. Raises FailedPreconditionError (CASE_RESOLUTION_NOT_ALLOWED)."""
        if resolution not in self.allowed:
            raise _not_allowed(self, resolution)
        return self._ended(resolution, by, reason, at)

    def resolved_by_itself(self, at: datetime) -> "PaymentCase":
        """Ended in the transaction that opened it: the money goes back."""
        return self._ended(Resolution.REFUND, "finisher", f"{self.kind.value}: refunded by itself", at)

    def sent_back_by_hand(self, at: datetime) -> "PaymentCase":
        """Ended by somebody who sent the money back at the gateway."""
        return self._ended(Resolution.REFUND, "gateway", "sent back at the gateway", at)

    def had_gone(self, at: datetime) -> "PaymentCase":
        """Ended because the refund that the gateway had refused had gone all the same."""
        return self._ended(Resolution.REFUND, "gateway", "the refund had gone all the same", at)

    def reopened(self) -> "PaymentCase":
        """Open again: what ended it has come to nothing."""
        return replace(
            self, state=CaseState.OPEN, resolution=None, resolved_at=None, resolved_by=None, resolution_reason=None
        )

    def came_to_nothing(self, at: datetime) -> "PaymentCase":
        """Ended because the refund that nobody here had sent failed: the money is where it was."""
        return self._ended(Resolution.WRITE_OFF, "gateway", "the refund failed at the gateway: nothing went", at)

    def _ended(self, resolution: Resolution, by: str, reason: str, at: datetime) -> "PaymentCase":
        return replace(
            self,
            state=CaseState.RESOLVED,
            resolution=resolution,
            resolved_at=at,
            resolved_by=by,
            resolution_reason=reason,
        )


def refund_under_way(case: PaymentCase) -> FailedPreconditionError:
    """The refusal to decide about money that may be on its way back at this moment."""
    return _refusal(case, f"case {case.id} waits for a refund of its money that is under way")


def _not_allowed(case: PaymentCase, resolution: Resolution) -> FailedPreconditionError:
    message = f"case {case.id} ({case.kind.value}, {case.state.value}) cannot be resolved by {resolution.value}"
    return _refusal(case, message)


def _refusal(case: PaymentCase, message: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        Reason.CASE_RESOLUTION_NOT_ALLOWED,
        message,
        metadata={
            "case_id": str(case.id),
            "kind": case.kind.value,
            "state": case.state.value,
            "allowed": ",".join(sorted(allowed.value for allowed in case.allowed)),
        },
        preconditions=(Precondition(Reason.CASE_RESOLUTION_NOT_ALLOWED.value, f"payment-cases/{case.id}", message),),
    )


def case_not_found(case_id: CaseId) -> NotFoundError:
    """No such case."""
    return NotFoundError(Reason.CASE_NOT_FOUND, f"case {case_id} not found", metadata={"case_id": str(case_id)})
