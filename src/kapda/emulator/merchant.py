"""What a merchant's server can do: make orders, capture payments, give refunds.

Faults that answer late, wrongly or not at all after having acted belong into the HTTP layer, around these verbs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.clock import Clock
from kapda.emulator.errors import ApiError, not_applicable
from kapda.emulator.ids import Ids
from kapda.emulator.model import CapturePolicy, Order, Payment, Refund
from kapda.emulator.requests import (
    CAPTURE_LIMIT_SECONDS,
    Body,
    OrderRequest,
    parse_amount,
    parse_currency,
    parse_notes,
    parse_order,
    parse_refund,
)
from kapda.emulator.states import OrderStatus, PaymentStatus


@dataclass(frozen=True, slots=True)
class _UsedKey:
    payment_id: str
    body: Mapping[str, object]
    refund_id: str


class Merchant:
    """The merchant's verbs; each either happens at once or raises ApiError."""

    def __init__(
        self,
        *,
        books: Books,
        announcer: Announcer,
        ids: Ids,
        clock: Clock,
        auto_capture: bool,
        enforce_unique_receipts: bool,
        refunds_stay_pending: bool,
    ) -> None:
        self._books = books
        self._announcer = announcer
        self._ids = ids
        self._clock = clock
        self._account_capture = CapturePolicy(auto_capture, CAPTURE_LIMIT_SECONDS)
        self._enforce_unique_receipts = enforce_unique_receipts
        self._refunds_stay_pending = refunds_stay_pending
        self._refund_keys: dict[str, _UsedKey] = {}

    def create_order(self, body: Body) -> Order:
        """Makes an order, or returns the older one of the same receipt when `unique_receipt` was sent."""
        request = parse_order(body)
        older = self._older_order(request)
        if older is not None:
            return older
        order = Order(
            id=self._ids.entity("order"),
            amount=request.amount,
            currency=request.currency,
            receipt=request.receipt,
            notes=request.notes,
            capture=request.capture or self._account_capture,
            created_at=int(self._clock.now()),
        )
        self._books.add_order(order)
        return order

    def update_order(self, order_id: str, body: Body) -> Order:
        """Replaces the notes, the only thing of an order that can be changed."""
        order = self._books.order(order_id)
        if set(body) != {"notes"}:
            raise ApiError("Only notes can be updated.", reason="extra_field_sent")
        order.notes = parse_notes(body)
        return order

    def capture(self, payment_id: str, body: Body) -> Payment:
        """Takes the whole authorised amount."""
        payment = self._books.payment(payment_id)
        amount, currency = parse_amount(body), parse_currency(body)
        if payment.captured:
            raise ApiError("This payment has already been captured")
        if payment.status is not PaymentStatus.AUTHORIZED:
            raise ApiError("Only payments which have been authorized and not yet captured can be captured")
        if amount != payment.amount or currency != payment.currency:
            raise ApiError("Capture amount must be equal to the amount authorized.", field="amount")
        order = self._books.order(payment.order_id)
        if order.status is OrderStatus.PAID:
            raise ApiError("order is already paid", reason="order_already_paid")
        self.take(payment, order)
        return payment

    def take(self, payment: Payment, order: Order) -> None:
        """Captures a payment whose order is still open and announces both facts."""
        payment.capture()
        order.pay(payment.amount)
        self._announcer.payment("payment.captured", payment)
        self._announcer.order_paid(payment, order)

    def refund(self, payment_id: str, body: Body, key: str | None) -> Refund:
        """Gives money back; a key seen before with the same body answers with the refund it made then."""
        payment = self._books.payment(payment_id)
        used = self._refund_keys.get(key) if key is not None else None
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
            self._refund_keys[key] = _UsedKey(payment_id, body, refund.id)
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
            created_at=int(self._clock.now()),
        )
        if payment.captured:
            payment.refund(amount)
        else:
            payment.return_uncaptured()
        self._books.add_refund(refund)
        self._announcer.refund("refund.created", refund, payment)
        if not self._refunds_stay_pending:
            self.process_refund(refund)
        return refund

    def process_refund(self, refund: Refund) -> None:
        """Lets a pending refund reach the customer."""
        refund.process()
        self._announcer.refund("refund.processed", refund, self._books.payment(refund.payment_id))

    def fail_refund(self, refund: Refund) -> None:
        """Lets a pending refund fail; its event still shows the payment as refunded, then the money is ours again."""
        refund.fail()
        payment = self._books.payment(refund.payment_id)
        self._announcer.refund("refund.failed", refund, payment)
        if payment.captured:
            payment.undo_refund(refund.amount)

    def _older_order(self, request: OrderRequest) -> Order | None:
        if request.receipt is None or not (request.unique_receipt or self._enforce_unique_receipts):
            return None
        for older in self._books.orders_with_receipt(request.receipt):
            same = (older.amount, older.currency) == (request.amount, request.currency)
            if request.unique_receipt and same:
                return older
            raise ApiError("Order receipt should be unique.", field="receipt", metadata={"order_id": older.id})
        return None

    def _refundable(self, payment: Payment, amount: int | None) -> int:
        left = payment.amount - payment.amount_refunded
        if payment.captured and left == 0:
            raise ApiError("The payment has been fully refunded already.")
        if payment.status is not PaymentStatus.CAPTURED:
            raise ApiError("The payment status should be captured for action to be taken")
        if amount is not None and amount > left:
            raise ApiError("The refund amount provided is greater than amount captured", field="amount")
        return left if amount is None else amount
