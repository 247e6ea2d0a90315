"""Promises money back: reserved, booked and queued in the caller's transaction, before anybody is asked to send it."""

from dataclasses import dataclass

from kapda.domain.ledger.entries import Account, LedgerTransaction
from kapda.domain.orders import postings
from kapda.domain.orders.order import Order
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.reversal import Reversal, exceeds_order
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import CaseKind, PaymentCase
from kapda.domain.payments.refund import Refund, RefundKind, RefundState, next_look
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import IdGenerator, RefundId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class Refunder:
    """The caller has locked the payment, and the order where there is one."""

    clock: Clock
    ids: IdGenerator

    async def of_order(
        self,
        uow: OrderUnitOfWork,
        kind: RefundKind,
        order: Order,
        payment: Payment,
        reversal: Reversal,
        *,
        reason: str,
        actor: str,
    ) -> Refund:
        """Give back what the reversal takes out of the order's lines.

        Raises FailedPreconditionError (REFUND_EXCEEDS_ORDER) when less of the payment is left.
        """
        refund = self._new(payment, kind, reversal.amount, reason=reason, actor=actor, order=order)
        await self._reserve(uow, refund)
        await uow.orders.add_reversal(order.id, refund.id, reversal)
        await uow.ledger.book(postings.lines_reversed(self.ids.new(), refund, reversal))
        await self._announce(uow, refund)
        return refund

    async def of_case(
        self, uow: OrderUnitOfWork, case: PaymentCase, payment: Payment, *, reason: str, actor: str
    ) -> Refund:
        """Give back the money of a case; what a failed refund still owes is owed already and only sent anew."""
        again = case.kind is CaseKind.REFUND_FAILED
        amount = case.amount if again else payment.left
        refund = self._new(payment, RefundKind.CASE, amount, reason=reason, actor=actor, case=case)
        if again:
            await uow.refunds.add(refund, refund.requested_at)
        else:
            await self._reserve(uow, refund)
            await uow.ledger.book(self._owed(refund))
        await self._announce(uow, refund)
        return refund

    def _owed(self, refund: Refund) -> LedgerTransaction:
        return postings.refund_requested(self.ids.new(), refund, Account.UNASSIGNED_RECEIPTS)

    async def _reserve(self, uow: OrderUnitOfWork, refund: Refund) -> None:
        if not await uow.payments.reserve_refund(refund.payment_id, refund.amount):
            raise exceeds_order(f"payment {refund.gateway_payment_id}")
        # Due at once; the job below is quicker than the sweep.
        await uow.refunds.add(refund, refund.requested_at + next_look(0))

    async def _announce(self, uow: OrderUnitOfWork, refund: Refund) -> None:
        await uow.outbox.add(refund_event(refund, "refund.requested"))
        await uow.jobs.wake(Job.SEND_REFUND, refund.id)

    def _new(
        self,
        payment: Payment,
        kind: RefundKind,
        amount: Money,
        *,
        reason: str,
        actor: str,
        order: Order | None = None,
        case: PaymentCase | None = None,
    ) -> Refund:
        return Refund(
            id=RefundId(self.ids.new()),
            kind=kind,
            payment_id=payment.id,
            gateway_payment_id=payment.gateway_payment_id,
            order_id=order.id if order is not None else payment.order_id,
            case_id=case.id if case is not None else None,
            amount=amount,
            state=RefundState.REQUESTED,
            gateway_refund_id=None,
            reason=reason,
            actor=actor,
            requested_at=self.clock.now(),
        )


def refund_event(refund: Refund, event_type: str) -> DomainEvent:
    """What a consumer is told of a refund."""
    return DomainEvent(
        "refund",
        refund.id,
        event_type,
        refund.requested_at,
        {
            "refund_id": str(refund.id),
            "kind": refund.kind.value,
            "payment_id": str(refund.payment_id),
            "order_id": str(refund.order_id) if refund.order_id is not None else None,
            "amount_minor": refund.amount.amount_minor,
            "currency_code": refund.amount.currency,
        },
    )
