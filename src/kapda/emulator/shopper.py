"""What the customer does at Checkout, and what the bank says to it."""

import hashlib
import hmac
from functools import partial
from typing import Literal

import msgspec

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.errors import BAD_REQUEST, ApiError
from kapda.emulator.fault_kinds import LateAuthorization, PaidAmount, SecondPayment
from kapda.emulator.faults import Faults, Occasion
from kapda.emulator.ids import Ids
from kapda.emulator.merchant import Merchant
from kapda.emulator.model import Failure, Instrument, Order, Payment
from kapda.emulator.refunds import Refunds
from kapda.emulator.shapes import JsonObject
from kapda.emulator.states import OrderStatus, PaymentStatus
from kapda.emulator.timeline import Timeline

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
        self,
        *,
        books: Books,
        merchant: Merchant,
        refunds: Refunds,
        announcer: Announcer,
        ids: Ids,
        timeline: Timeline,
        faults: Faults,
        key_secret: str,
    ) -> None:
        self._books = books
        self._merchant = merchant
        self._refunds = refunds
        self._announcer = announcer
        self._ids = ids
        self._timeline = timeline
        self._faults = faults
        self._key_secret = key_secret.encode()

    def pay(self, command: PayCommand) -> JsonObject:
        """Tries to pay the order; returns what Checkout hands the browser: the signed triple, or an error object.

        Raises:
            ApiError: Razorpay takes no (further) payment for this order.
        """
        order = self._books.order(command.order_id)
        second = self._second_payment(order)
        if order.status is not OrderStatus.PAID:
            order.attempt()
        payment = Payment(
            id=self._ids.entity("pay"),
            order_id=order.id,
            amount=self._amount(order),
            currency=order.currency,
            instrument=self._instrument(command),
            created_at=int(self._timeline.now()) - command.started_seconds_ago,
        )
        self._books.add_payment(payment)
        outcome = command.outcome or ("failure" if command.vpa == _FAILING_VPA else "success")
        if outcome == "late":
            return _browser_error(payment, _NO_ANSWER)
        if outcome == "failure":
            self.fail(payment)
            return _browser_error(payment, _REFUSED)
        late = self._faults.take(LateAuthorization, Occasion(order_id=order.id, payment_id=payment.id))
        if late is not None:
            self.fail(payment)
            capture = outcome == "success" and late.capture
            self._timeline.after(late.after_seconds, partial(self._authorize_late, payment, capture=capture))
            return _browser_error(payment, _REFUSED)
        self.authorize(payment, capture=outcome == "success", second=second)
        return self.signed(payment)

    def fail(self, payment: Payment) -> None:
        """Lets the bank refuse a payment it was asked about."""
        payment.fail(_REFUSED)
        self._announcer.payment("payment.failed", payment)

    def authorize(self, payment: Payment, *, capture: bool = True, second: SecondPayment | None = None) -> None:
        """Lets the bank say yes, perhaps long after everybody left.

        Inside its window the payment is captured at once; outside it, or with `capture` false, it stays authorised.
        When another payment has paid the order meanwhile, the money goes straight back, unless a fault lets it stay.
        """
        payment.authorize()
        self._announcer.payment("payment.authorized", payment)
        order = self._books.order(payment.order_id)
        is_paid = order.status is OrderStatus.PAID
        if is_paid and second is None:
            second = self._faults.take(SecondPayment, Occasion(order_id=order.id, payment_id=payment.id))
        if is_paid and second is None:
            self._refunds.give_back(payment, payment.amount, {})
        elif second.capture if second is not None else capture and self._is_in_window(payment, order):
            self._merchant.take(payment, order)
        else:
            self._refunds.hold(payment, order)

    def signed(self, payment: Payment) -> JsonObject:
        """Returns the triple that proves to the merchant that order and payment belong together."""
        message = f"{payment.order_id}|{payment.id}".encode()
        return {
            "razorpay_payment_id": payment.id,
            "razorpay_order_id": payment.order_id,
            "razorpay_signature": hmac.new(self._key_secret, message, hashlib.sha256).hexdigest(),
        }

    def _is_in_window(self, payment: Payment, order: Order) -> bool:
        return order.capture.automatic and self._timeline.now() - payment.created_at <= order.capture.window

    def _authorize_late(self, payment: Payment, *, capture: bool) -> None:
        if payment.status is PaymentStatus.FAILED:
            self.authorize(payment, capture=capture)

    def _amount(self, order: Order) -> int:
        other = self._faults.take(PaidAmount, Occasion(order_id=order.id))
        return order.amount if other is None else max(1, order.amount + other.by)

    def _second_payment(self, order: Order) -> SecondPayment | None:
        """Returns None for an order that is open, and the fault that lets another payment in for one that is not."""
        is_paid = order.status is OrderStatus.PAID
        if not is_paid and not self._books.has_authorized(order):
            return None
        second = self._faults.take(SecondPayment, Occasion(order_id=order.id))
        if second is None:
            what = "is already paid" if is_paid else "already has a payment"
            raise ApiError(f"Payment failed because the order {what}", reason="order_already_paid")
        return second

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
