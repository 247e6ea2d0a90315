"""What the customer does at Checkout, and what the bank says to it.

Faults that let Razorpay do what it documents it does not (a second payment on a paid order, another amount than the
order's) belong into `Shopper.pay`, which is the one place that makes payments.
"""

import hashlib
import hmac
from typing import Literal

import msgspec

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.clock import Clock
from kapda.emulator.errors import BAD_REQUEST, ApiError
from kapda.emulator.ids import Ids
from kapda.emulator.merchant import Merchant
from kapda.emulator.model import Failure, Instrument, Order, Payment
from kapda.emulator.shapes import JsonObject
from kapda.emulator.states import OrderStatus

Method = Literal["card", "upi", "netbanking"]
Outcome = Literal["success", "failure", "authorize_only", "late"]

_REFUSED = Failure(
    BAD_REQUEST, "Your payment was declined by your bank. Try another method.", "bank", "payment_authorization",
    "payment_failed",
)  # fmt: skip
_NO_ANSWER = Failure(
    BAD_REQUEST, "Your payment was not completed on time.", "customer", "payment_authentication", "payment_timed_out"
)
_FAILING_VPA = "failure@razorpay"


class PayCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the customer is told to do.

    `late` leaves the payment `created`: the bank has not answered and the browser hears of a time-out. Without an
    outcome it is `success`, except for the test address failure@razorpay. `started_seconds_ago` dates the payment back,
    so that its automatic capture window can be over already.
    """

    order_id: str
    method: Method = "upi"
    outcome: Outcome | None = None
    email: str | None = "customer@example.com"
    contact: str | None = "+919000090000"
    vpa: str = "customer@exampleupi"
    bank: str = "HDFC"
    started_seconds_ago: int = 0


class Shopper:
    """Plays every customer of the account."""

    def __init__(
        self, *, books: Books, merchant: Merchant, announcer: Announcer, ids: Ids, clock: Clock, key_secret: str
    ) -> None:
        self._books = books
        self._merchant = merchant
        self._announcer = announcer
        self._ids = ids
        self._clock = clock
        self._key_secret = key_secret.encode()

    def pay(self, command: PayCommand) -> JsonObject:
        """Tries to pay the order; returns what Checkout hands the browser: the signed triple, or an error object.

        Raises:
            ApiError: Razorpay takes no (further) payment for this order.
        """
        order = self._books.order(command.order_id)
        self._refuse_second_payment(order)
        order.attempt()
        payment = Payment(
            id=self._ids.entity("pay"),
            order_id=order.id,
            amount=order.amount,
            currency=order.currency,
            instrument=self._instrument(command),
            created_at=int(self._clock.now()) - command.started_seconds_ago,
        )
        self._books.add_payment(payment)
        outcome = command.outcome or ("failure" if command.vpa == _FAILING_VPA else "success")
        if outcome == "late":
            return _browser_error(payment, _NO_ANSWER)
        if outcome == "failure":
            self.fail(payment)
            return _browser_error(payment, _REFUSED)
        self.authorize(payment, capture=outcome == "success")
        return self.signed(payment)

    def fail(self, payment: Payment) -> None:
        """Lets the bank refuse a payment it was asked about."""
        payment.fail(_REFUSED)
        self._announcer.payment("payment.failed", payment)

    def authorize(self, payment: Payment, *, capture: bool = True) -> None:
        """Lets the bank say yes, perhaps long after everybody left.

        Inside its window the payment is captured at once; outside it, or with `capture` false, it stays authorised.
        When another payment has paid the order meanwhile, the money goes straight back.
        """
        payment.authorize()
        self._announcer.payment("payment.authorized", payment)
        order = self._books.order(payment.order_id)
        if order.status is OrderStatus.PAID:
            self._merchant.give_back(payment, payment.amount, {})
        elif capture and order.capture.automatic and self._clock.now() - payment.created_at <= order.capture.window:
            self._merchant.take(payment, order)

    def signed(self, payment: Payment) -> JsonObject:
        """Returns the triple that proves to the merchant that order and payment belong together."""
        message = f"{payment.order_id}|{payment.id}".encode()
        return {
            "razorpay_payment_id": payment.id,
            "razorpay_order_id": payment.order_id,
            "razorpay_signature": hmac.new(self._key_secret, message, hashlib.sha256).hexdigest(),
        }

    def _refuse_second_payment(self, order: Order) -> None:
        if order.status is OrderStatus.PAID:
            raise ApiError("Payment failed because the order is already paid", reason="order_already_paid")
        if self._books.has_authorized(order):
            raise ApiError("Payment failed because the order already has a payment", reason="order_already_paid")

    def _instrument(self, command: PayCommand) -> Instrument:
        how = Instrument(command.method, {}, email=command.email, contact=command.contact)
        if command.method == "card":
            how.acquirer_data = {"auth_code": self._ids.digits(6)}
            how.card = {
                "id": self._ids.entity("card"),
                "entity": "card",
                "name": "",
                "last4": "1111",
                "network": "Visa",
                "type": "debit",
                "issuer": None,
                "international": False,
                "emi": False,
                "sub_type": "consumer",
                "token_iin": None,
            }
        elif command.method == "upi":
            how.acquirer_data = {"rrn": self._ids.digits(12)}
            how.vpa = command.vpa
        else:
            how.acquirer_data = {"bank_transaction_id": self._ids.digits(7)}
            how.bank = command.bank
        return how


def _browser_error(payment: Payment, failure: Failure) -> JsonObject:
    return {
        "error": {
            "code": failure.code,
            "description": failure.description,
            "source": failure.source,
            "step": failure.step,
            "reason": failure.reason,
            "metadata": {"payment_id": payment.id, "order_id": payment.order_id},
        }
    }
