"""All orders, payments and refunds in memory, with an index for every way they are asked for."""

from typing import TypeVar

from kapda.emulator.errors import ApiError, unknown_id
from kapda.emulator.model import Order, Payment, Refund
from kapda.emulator.paging import Page, cut
from kapda.emulator.shapes import JsonObject, order_shape, payment_shape, refund_shape
from kapda.emulator.states import PaymentStatus, RefundStatus

_ID_LENGTH = 14


Entity = TypeVar("Entity", Order, Payment, Refund)


class Books:
    """The whole memory of one account. Lists are newest first, as Razorpay's are."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.payments: dict[str, Payment] = {}
        self.refunds: dict[str, Refund] = {}
        self._orders_by_receipt: dict[str, list[Order]] = {}
        self._payments_by_order: dict[str, list[Payment]] = {}
        self._refunds_by_payment: dict[str, list[Refund]] = {}

    def add_order(self, order: Order) -> None:
        """Takes a new order in."""
        self.orders[order.id] = order
        if order.receipt is not None:
            self._orders_by_receipt.setdefault(order.receipt, []).append(order)

    def add_payment(self, payment: Payment) -> None:
        """Takes a new payment in."""
        self.payments[payment.id] = payment
        self._payments_by_order.setdefault(payment.order_id, []).append(payment)

    def add_refund(self, refund: Refund) -> None:
        """Takes a new refund in."""
        self.refunds[refund.id] = refund
        self._refunds_by_payment.setdefault(refund.payment_id, []).append(refund)

    def order(self, order_id: str) -> Order:
        """Returns the order, or raises Razorpay's 400."""
        return _found(self.orders.get(order_id), order_id, "order")

    def payment(self, payment_id: str) -> Payment:
        """Returns the payment, or raises Razorpay's 400."""
        return _found(self.payments.get(payment_id), payment_id, "pay")

    def refund(self, refund_id: str) -> Refund:
        """Returns the refund, or raises Razorpay's 400."""
        return _found(self.refunds.get(refund_id), refund_id, "rfnd")

    def orders_with_receipt(self, receipt: str) -> list[Order]:
        """Returns the orders of that receipt, oldest first."""
        return self._orders_by_receipt.get(receipt, [])

    def payments_of(self, order_id: str) -> list[Payment]:
        """Returns every try to pay the order, failed ones included, oldest first."""
        return self._payments_by_order.get(order_id, [])

    def refunds_of(self, payment_id: str) -> list[Refund]:
        """Returns the refunds of the payment, oldest first."""
        return self._refunds_by_payment.get(payment_id, [])

    def has_authorized(self, order: Order) -> bool:
        """Tells whether money for the order is held and not yet taken."""
        return any(payment.status is PaymentStatus.AUTHORIZED for payment in self.payments_of(order.id))

    def page_of_orders(self, page: Page, receipt: str | None, *, authorized: bool | None) -> list[Order]:
        """Returns a page of orders, filtered by receipt and by having an authorised payment."""
        orders = self.orders.values() if receipt is None else self.orders_with_receipt(receipt)
        wanted = None if authorized is None else (lambda order: self.has_authorized(order) is authorized)
        return cut(orders, page, wanted)

    def totals(self) -> dict[str, int]:
        """Returns the sums of the account in paise.

        `refunded` counts refunds of captured money that have not failed; `returned_uncaptured` is money that was only
        ever authorised and went back by itself.
        """
        captured = [payment for payment in self.payments.values() if payment.captured]
        return {
            "captured": sum(payment.amount for payment in captured),
            "authorized": sum(
                payment.amount for payment in self.payments.values() if payment.status is PaymentStatus.AUTHORIZED
            ),
            "refunded": sum(
                refund.amount
                for refund in self.refunds.values()
                if refund.status is not RefundStatus.FAILED and self.payments[refund.payment_id].captured
            ),
            "returned_uncaptured": sum(
                payment.amount
                for payment in self.payments.values()
                if payment.status is PaymentStatus.REFUNDED and not payment.captured
            ),
            "fees": sum(payment.fee or 0 for payment in captured),
            "tax": sum(payment.tax or 0 for payment in captured),
        }

    def as_json(self) -> JsonObject:
        """Returns everything, oldest first, with the totals."""
        return {
            "orders": [order_shape(order) for order in self.orders.values()],
            "payments": [payment_shape(payment) for payment in self.payments.values()],
            "refunds": [refund_shape(refund) for refund in self.refunds.values()],
            "totals": self.totals(),
        }


def _found(entity: Entity | None, entity_id: str, prefix: str) -> Entity:
    if entity is not None:
        return entity
    head, _, tail = entity_id.partition("_")
    if head != prefix or len(tail) != _ID_LENGTH or not (tail.isascii() and tail.isalnum()):
        raise ApiError(f"{entity_id} is not a valid id")
    raise unknown_id()
