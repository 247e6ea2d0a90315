"""Writes what a captured payment makes: an order with everything that belongs to it, or a case."""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.checkout.checkout import Checkout, CheckoutVerb
from kapda.domain.ledger.entries import Account
from kapda.domain.orders import postings
from kapda.domain.orders.order import Order, place
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.payments.payment_case import BY_ITSELF, CaseKind, CaseState, PaymentCase
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import CaseId, IdGenerator, OrderId, PaymentId
from kapda.domain.shared.mails import MailKind, MailRequest
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import RequestKey


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Works inside the caller's transaction, which has locked the checkout and its cart; stock comes last."""

    refunder: Refunder
    clock: Clock
    ids: IdGenerator

    async def place(
        self,
        uow: OrderUnitOfWork,
        checkout: Checkout,
        paid: GatewayPayment,
        *,
        number: str,
        actor: str,
        request: RequestKey | None,
    ) -> Order:
        """The order, its lines, commission, postings and event, and the answer to the request that brought the payment;
        the bought pieces leave cart and stock."""
        payment = _payment(PaymentId(self.ids.new()), checkout, paid, self.clock.now())
        await uow.payments.add(payment)
        return await self._write_order(
            uow,
            checkout,
            payment,
            number=number,
            actor=actor,
            source=Account.GATEWAY_RECEIVABLE,
            request=request,
        )

    async def open_case(
        self, uow: OrderUnitOfWork, kind: CaseKind, checkout: Checkout, paid: GatewayPayment
    ) -> PaymentCase:
        """The money, booked as received and not yet assigned, and its case; what needs no person goes back at once."""
        now = self.clock.now()
        payment = _payment(PaymentId(self.ids.new()), checkout, paid, now)
        await uow.payments.add(payment)
        opened = _case(CaseId(self.ids.new()), kind, checkout, payment, paid)
        by_itself = kind in BY_ITSELF
        case = opened.resolved_by_itself(now) if by_itself else opened
        await uow.cases.add(case)
        await uow.ledger.book(postings.case_opened(self.ids.new(), case, now))
        await uow.outbox.add(_case_opened(case))
        if by_itself:
            await self.refunder.of_case(uow, case, payment, reason=kind.value, actor="finisher")
        return case

    async def tell_given_back(self, uow: OrderUnitOfWork, checkout: Checkout) -> None:
        """Nobody took the money, so nothing is booked; whoever paid hears of it once, by mail."""
        mail = MailRequest.to_user(
            self.ids.new(), MailKind.PAYMENT_GIVEN_BACK, checkout.customer_id, self.clock.now(), checkout.id
        )
        await uow.mails.queue(mail)

    async def place_case(self, uow: OrderUnitOfWork, checkout: Checkout, payment: Payment, actor: str) -> Order:
        """The order that a case's money pays after all: the payment is kept already, and its money is unassigned.

        The checkout holds its stock and has the payment's gateway order.
        """
        # Asked for before anything is written: what is written in a row goes to the database together.
        number = await uow.orders.next_number()
        return await self._write_order(
            uow,
            checkout,
            payment,
            number=number,
            actor=actor,
            source=Account.UNASSIGNED_RECEIPTS,
            request=None,
        )

    async def _write_order(
        self,
        uow: OrderUnitOfWork,
        checkout: Checkout,
        payment: Payment,
        *,
        number: str,
        actor: str,
        source: Account,
        request: RequestKey | None,
    ) -> Order:
        now = self.clock.now()
        order = place(
            checkout,
            order_id=OrderId(self.ids.new()),
            number=number,
            payment_id=payment.id,
            actor=actor,
            at=now,
        )
        await uow.orders.add(order)
        await uow.ledger.book(postings.order_placed(self.ids.new(), order, source))
        # Who has an order has no reason to pay again soon; what comes all the same is found when the hold would have ended.
        await uow.checkouts.save(checkout.after(CheckoutVerb.PLACE), now, look_again_at=max(now, checkout.hold_until))
        await uow.carts.take_bought(
            checkout.cart_id, [(line.variant_id, line.quantity) for line in checkout.lines], now
        )
        await uow.outbox.add(_order_placed(order))
        if request is not None:
            await uow.requests.answer(request, order)
        sold = await uow.stock.sell(checkout.hold_id, now, f"order {order.number}")
        if sold != len(checkout.lines):
            # The state says that the checkout holds its stock; an order without it must not be.
            raise RuntimeError(f"checkout {checkout.id} held {sold} of {len(checkout.lines)} lines")
        return order


def _case(case_id: CaseId, kind: CaseKind, checkout: Checkout, payment: Payment, paid: GatewayPayment) -> PaymentCase:
    return PaymentCase(
        id=case_id,
        kind=kind,
        gateway_payment_id=paid.id,
        payment_id=payment.id,
        checkout_id=checkout.id,
        refund_id=None,
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
        state=CaseState.OPEN,
        opened_at=payment.captured_at,
    )


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
        refund_reserved=Money.zero(paid.amount.currency),
        refunded=Money.zero(paid.amount.currency),
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
