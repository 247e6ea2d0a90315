"""What a merchant's server can do: make orders and capture payments; `Refunds` is the rest of it.

Calls whose answer is late, wrong or lost are the business of the HTTP layer, around these verbs.
"""

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.clock import Clock
from kapda.emulator.errors import ApiError
from kapda.emulator.ids import Ids
from kapda.emulator.model import CAPTURE_LIMIT_SECONDS, CapturePolicy, Order, Payment
from kapda.emulator.requests import Body, OrderRequest, parse_amount, parse_currency, parse_notes, parse_order
from kapda.emulator.states import OrderStatus, PaymentStatus


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
    ) -> None:
        self._books = books
        self._announcer = announcer
        self._ids = ids
        self._clock = clock
        self._account_capture = CapturePolicy(auto_capture, CAPTURE_LIMIT_SECONDS)
        self._enforce_unique_receipts = enforce_unique_receipts

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
        """Captures a payment and announces it, together with its order unless that was paid before."""
        payment.capture()
        is_first = order.status is not OrderStatus.PAID
        if is_first:
            order.pay(payment.amount)
        self._announcer.payment("payment.captured", payment)
        if is_first:
            self._announcer.order_paid(payment, order)

    def _older_order(self, request: OrderRequest) -> Order | None:
        if request.receipt is None or not (request.unique_receipt or self._enforce_unique_receipts):
            return None
        for older in self._books.orders_with_receipt(request.receipt):
            same = (older.amount, older.currency) == (request.amount, request.currency)
            if request.unique_receipt and same:
                return older
            raise ApiError("Order receipt should be unique.", field="receipt", metadata={"order_id": older.id})
        return None
