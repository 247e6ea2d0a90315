"""Money on its way back: refunds somebody asked for, and authorised money that goes back by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.errors import ApiError, not_applicable
from kapda.emulator.fault_kinds import AutoRefund, RefundPending
from kapda.emulator.faults import Faults, Occasion
from kapda.emulator.ids import Ids
from kapda.emulator.model import Order, Payment, Refund
from kapda.emulator.requests import Body, parse_refund
from kapda.emulator.states import PaymentStatus, RefundStatus
from kapda.emulator.timeline import Timeline


@dataclass(frozen=True, slots=True)
class _UsedKey:
    payment_id: str
    body: Mapping[str, object]
    refund_id: str


class Refunds:
    """The verbs of refunds; each either happens at once or raises ApiError."""

    def __init__(
        self,
        *,
        books: Books,
        announcer: Announcer,
        ids: Ids,
        timeline: Timeline,
        faults: Faults,
        stay_pending: bool,
    ) -> None:
        self._books = books
        self._announcer = announcer
        self._ids = ids
        self._timeline = timeline
        self._faults = faults
        self._stay_pending = stay_pending
        self._keys: dict[str, _UsedKey] = {}

    def refund(self, payment_id: str, body: Body, key: str | None) -> Refund:
        """Gives money back; a key seen before with the same body answers with the refund it made then."""
        payment = self._books.payment(payment_id)
        used = self._keys.get(key) if key is not None else None
        if used is not None:
            if (used.payment_id, used.body) != (payment_id, body):
                raise not_applicable(
                    "Different request with the same idempotency key has already been processed.", HTTPStatus.CONFLICT
                )
            return self._books.refund(used.refund_id)
        request = parse_refund(body)
        refund = self.give_back(
            payment, self._refundable(payment, request.amount), request.notes, request.receipt, request.speed
        )
        if key is not None:
            self._keys[key] = _UsedKey(payment_id, body, refund.id)
        return refund

    def give_back(
        self,
        payment: Payment,
        amount: int,
        notes: Mapping[str, object],
        receipt: str | None = None,
        speed: str | None = None,
    ) -> Refund:
        """Makes a refund of money known to be there and announces it."""
        refund = Refund(
            id=self._ids.entity("rfnd"),
            payment_id=payment.id,
            amount=amount,
            currency=payment.currency,
            receipt=receipt,
            notes=notes,
            speed_requested=speed,
            created_at=int(self._timeline.now()),
        )
        if payment.captured:
            payment.refund(amount)
        else:
            payment.return_uncaptured()
        self._books.add_refund(refund)
        self._announcer.refund("refund.created", refund, payment)
        pending = self._faults.take(RefundPending, Occasion(payment_id=payment.id, order_id=payment.order_id))
        if pending is not None:
            self._timeline.after(pending.after_seconds, partial(self._end, refund, pending.then))
        elif not self._stay_pending:
            self.process(refund)
        return refund

    def process(self, refund: Refund) -> None:
        """Lets a pending refund reach the customer."""
        refund.process()
        self._announcer.refund("refund.processed", refund, self._books.payment(refund.payment_id))

    def fail(self, refund: Refund) -> None:
        """Lets a pending refund fail; its event still shows the payment as refunded, then the money is ours again."""
        refund.fail()
        payment = self._books.payment(refund.payment_id)
        self._announcer.refund("refund.failed", refund, payment)
        if payment.captured:
            payment.undo_refund(refund.amount)

    def hold(self, payment: Payment, order: Order) -> None:
        """Leaves a payment authorised: unless somebody captures it in time, its money goes back by itself."""
        due: float = payment.created_at + order.capture.limit
        sooner = self._faults.take(AutoRefund, Occasion(order_id=order.id, payment_id=payment.id))
        if sooner is not None:
            due = min(due, self._timeline.now() + sooner.after_seconds)
        self._timeline.at(due, partial(self._return_held, payment))

    def _return_held(self, payment: Payment) -> None:
        if payment.status is PaymentStatus.AUTHORIZED:
            self.give_back(payment, payment.amount, {})

    def _end(self, refund: Refund, ending: str | None) -> None:
        if refund.status is not RefundStatus.PENDING:
            return
        if ending == "processed":
            self.process(refund)
        elif ending == "failed":
            self.fail(refund)

    def _refundable(self, payment: Payment, amount: int | None) -> int:
        left = payment.amount - payment.amount_refunded
        if payment.captured and left == 0:
            raise ApiError("The payment has been fully refunded already.")
        if payment.status is not PaymentStatus.CAPTURED:
            raise ApiError("The payment status should be captured for action to be taken")
        if amount is not None and amount > left:
            raise ApiError("The refund amount provided is greater than amount captured", field="amount")
        return left if amount is None else amount
