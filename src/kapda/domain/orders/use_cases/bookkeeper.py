"""Writes what a captured payment makes: an order with everything that belongs to it, or a case."""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.checkout.checkout import Checkout, CheckoutVerb
from kapda.domain.orders import postings
from kapda.domain.orders.order import Order, place
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import CaseKind, Payment, PaymentCase, PaymentState
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import CaseId, IdGenerator, OrderId, PaymentId


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Works inside the caller's transaction, which has locked the checkout and its cart; stock comes last."""

    clock: Clock
    ids: IdGenerator

    async def place(self, uow: OrderUnitOfWork, checkout: Checkout, paid: GatewayPayment, actor: str) -> Order:
        """The order, its lines, commission, postings and event; the bought pieces leave cart and stock."""
        now = self.clock.now()
        payment = _payment(PaymentId(self.ids.new()), checkout, paid, now)
        await uow.payments.add(payment)
        order = place(
            checkout,
            order_id=OrderId(self.ids.new()),
            number=await uow.orders.next_number(),
            payment_id=payment.id,
            actor=actor,
            at=now,
        )
        await uow.orders.add(order)
        await uow.ledger.book(postings.order_placed(self.ids.new(), order))
        await uow.checkouts.save(checkout.after(CheckoutVerb.PLACE), now)
        await uow.carts.take_bought(
            checkout.cart_id, [(line.variant_id, line.quantity) for line in checkout.lines], now
        )
        await uow.outbox.add(_order_placed(order))
        sold = await uow.stock.sell(checkout.hold_id, now, f"order {order.number}")
        if sold != len(checkout.lines):
            # The state says that the checkout holds its stock; an order without it must not be.
            raise RuntimeError(f"checkout {checkout.id} held {sold} of {len(checkout.lines)} lines")
        return order

    async def open_case(
        self, uow: OrderUnitOfWork, kind: CaseKind, checkout: Checkout, paid: GatewayPayment
    ) -> PaymentCase:
        """The money, booked as received and not yet assigned, and the case that asks what to do with it."""
        now = self.clock.now()
        payment = _payment(PaymentId(self.ids.new()), checkout, paid, now)
        await uow.payments.add(payment)
        case = PaymentCase(
            id=CaseId(self.ids.new()),
            kind=kind,
            gateway_payment_id=paid.id,
            payment_id=payment.id,
            checkout_id=checkout.id,
            amount=paid.amount,
            evidence={
                "checkout_state": checkout.state.value,
                "checkout_total": str(checkout.total),
                "checkout_gateway_order_id": checkout.gateway_order_id or "",
                "payment_gateway_order_id": paid.order_id or "",
                "payment_amount": str(paid.amount),
                "payment_amount_refunded": str(paid.amount_refunded),
                "payment_state": paid.state.value,
            },
            opened_at=now,
        )
        await uow.payments.open_case(case)
        await uow.ledger.book(postings.case_opened(self.ids.new(), case, now))
        await uow.outbox.add(_case_opened(case))
        return case


def _payment(payment_id: PaymentId, checkout: Checkout, paid: GatewayPayment, at: datetime) -> Payment:
    return Payment(
        id=payment_id,
        checkout_id=checkout.id,
        gateway_payment_id=paid.id,
        gateway_order_id=paid.order_id or "",
        state=PaymentState.CAPTURED,
        amount=paid.amount,
        method=paid.method,
        captured_at=at,
        order_id=None,
    )


def _order_placed(order: Order) -> DomainEvent:
    return DomainEvent(
        "order",
        order.id,
        "order.placed",
        order.placed_at,
        {
            "order_id": str(order.id),
            "number": order.number,
            "customer_id": str(order.customer_id),
            "payment_id": str(order.payment_id),
            "total_minor": order.total.amount_minor,
            "currency_code": order.total.currency,
        },
    )


def _case_opened(case: PaymentCase) -> DomainEvent:
    return DomainEvent(
        "payment_case",
        case.id,
        "payment_case.opened",
        case.opened_at,
        {
            "case_id": str(case.id),
            "kind": case.kind.value,
            "checkout_id": str(case.checkout_id),
            "amount_minor": case.amount.amount_minor,
            "currency_code": case.amount.currency,
        },
    )
