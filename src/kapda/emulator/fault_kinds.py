"""What can go wrong: one class a kind, with its parameters and its address. `KINDS` is the table of them all.

Every fault has: how often (`times`, after the first `skip` occasions, each with `probability`, for so many seconds of the
emulator's clock from its arming on) and where (`order_id`, `payment_id`, `receipt`; calls also by `operation`, `method` and
`path`, webhooks by `event`). What is left out does not restrict. Amounts are paise, times seconds.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

Operation = Literal[
    "create_order", "list_orders", "get_order", "update_order", "list_order_payments", "list_payments", "get_payment",
    "capture", "refund", "list_payment_refunds", "get_payment_refund", "list_refunds", "get_refund",
]  # fmt: skip
Seconds = Annotated[float, Meta(ge=0, le=366 * 24 * 60 * 60)]
# A held connection is real time, not the emulator's.
Hold = Annotated[float, Meta(ge=0, le=600)]
Difference = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
FailingStatus = Annotated[int, Meta(ge=500, le=599)]
AnyStatus = Annotated[int, Meta(ge=200, le=599)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all faults have."""

    name: Name | None = None
    times: Annotated[int, Meta(ge=1)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    probability: Annotated[float, Meta(gt=0, le=1)] = 1.0
    for_seconds: Annotated[float, Meta(gt=0)] | None = None
    order_id: str | None = None
    payment_id: str | None = None
    receipt: str | None = None


class ApiFault(Fault, frozen=True, kw_only=True):
    """A call under /v1 goes wrong. `path` is a pattern such as `/v1/payments/*/capture`."""

    operation: Operation | None = None
    method: str | None = None
    path: str | None = None

    # The operations the kind makes sense for; empty means all.
    operations: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        if self.operation is not None and self.operations and self.operation not in self.operations:
            raise ValueError(f"this fault is for {', '.join(sorted(self.operations))}")


class TimeoutBefore(ApiFault, frozen=True, kw_only=True, tag="timeout_before"):
    """The call does nothing; after `seconds` its connection is cut without an answer."""

    seconds: Hold = 0.0


class TimeoutAfter(ApiFault, frozen=True, kw_only=True, tag="timeout_after"):
    """The call acts at once; after `seconds` its connection is cut without an answer."""

    seconds: Hold = 0.0


class RateLimited(ApiFault, frozen=True, kw_only=True, tag="rate_limited"):
    """The call does nothing and is answered 429."""


class BrokenServer(ApiFault, frozen=True, kw_only=True, tag="server_error"):
    """The call is answered with a 5xx in Razorpay's envelope; with `acts` it has acted all the same."""

    status: FailingStatus = 500
    acts: bool = False


class Html(ApiFault, frozen=True, kw_only=True, tag="html"):
    """The call is answered with a page of HTML; with `acts` it has acted all the same."""

    status: AnyStatus = 502
    acts: bool = False


class WrongAmount(ApiFault, frozen=True, kw_only=True, tag="wrong_amount"):
    """The call acts rightly, but every `amount` in its answer is off `by` so much."""

    by: Difference = -100


class RefundInProgress(ApiFault, frozen=True, kw_only=True, tag="refund_in_progress"):
    """A refund with an idempotency key is answered 409, still in progress; the refund is made all the same.

    So the same key is answered with that refund once the fault is used up, and a new key makes a second refund.
    """

    operations: ClassVar[frozenset[str]] = frozenset({"refund"})


class ListLag(ApiFault, frozen=True, kw_only=True, tag="list_lag"):
    """GET /orders, /payments and /refunds miss what is newer than `seconds`; fetching by id does not."""

    seconds: Seconds = 120.0
    operations: ClassVar[frozenset[str]] = frozenset({"list_orders", "list_payments", "list_refunds"})


class LateAuthorization(Fault, frozen=True, kw_only=True, tag="late_authorization"):
    """A payment that would succeed fails, and `after_seconds` the bank says yes after all.

    As with Razorpay it is then captured only inside its order's automatic window, and never when `capture` is false.
    """

    after_seconds: Seconds = 900.0
    capture: bool = True


class SecondPayment(Fault, frozen=True, kw_only=True, tag="second_payment"):
    """An order that is paid, or has an authorised payment, takes another one; it is captured unless `capture` is false."""

    capture: bool = True


class PaidAmount(Fault, frozen=True, kw_only=True, tag="paid_amount"):
    """The customer pays another amount than the order's: off `by` so much, and never less than 1."""

    by: Difference = -100


class AutoRefund(Fault, frozen=True, kw_only=True, tag="auto_refund"):
    """A payment that stays authorised goes back to the payer after `after_seconds` and not only after three days."""

    after_seconds: Seconds = 0.0


class RefundPending(Fault, frozen=True, kw_only=True, tag="refund_pending"):
    """A refund is answered `pending` and ends as `then` says after `after_seconds`; null leaves it to the controls."""

    then: Literal["processed", "failed"] | None = "processed"
    after_seconds: Seconds = 60.0


class WebhookFault(Fault, frozen=True, kw_only=True):
    """Something is wrong with webhooks. `event` is a pattern such as `payment.*`."""

    event: str | None = None


class DeliveryFault(WebhookFault, frozen=True, kw_only=True):
    """Something happens to an event before its first attempt."""


class WebhookDrop(DeliveryFault, frozen=True, kw_only=True, tag="webhook_drop"):
    """The event is never sent. It can still be replayed by the controls."""


class WebhookDuplicate(DeliveryFault, frozen=True, kw_only=True, tag="webhook_duplicate"):
    """`copies` more of the event, same id and bytes, are sent `after_seconds`; 0 means beside the first one."""

    copies: Annotated[int, Meta(ge=1, le=100)] = 1
    after_seconds: Seconds = 0.0


class WebhookReorder(DeliveryFault, frozen=True, kw_only=True, tag="webhook_reorder"):
    """The event waits until `behind` later ones were sent, or `at_most_seconds` have passed."""

    behind: Annotated[int, Meta(ge=1, le=1000)] = 1
    at_most_seconds: Seconds = 60.0


class WebhookDelay(DeliveryFault, frozen=True, kw_only=True, tag="webhook_delay"):
    """The event's first attempt is made after `seconds`."""

    seconds: Seconds = 30.0


class WebhookOldSecret(DeliveryFault, frozen=True, kw_only=True, tag="webhook_old_secret"):
    """The event is signed with the secret before the last rotation; before any rotation nothing happens."""


class WebhooksOff(WebhookFault, frozen=True, kw_only=True, tag="webhooks_off"):
    """No event is made, so none can be replayed, and retries end; `for_seconds` 86400 is a day without webhooks."""


AnyFault = (
    TimeoutBefore | TimeoutAfter | RateLimited | BrokenServer | Html | WrongAmount | RefundInProgress | ListLag
    | LateAuthorization | SecondPayment | PaidAmount | AutoRefund | RefundPending
    | WebhookDrop | WebhookDuplicate | WebhookReorder | WebhookDelay | WebhookOldSecret | WebhooksOff
)  # fmt: skip

KINDS: Final[Mapping[str, type[Fault]]] = {str(kind.__struct_config__.tag): kind for kind in AnyFault.__args__}
