"""What the gateway says of a refund, written down: the one piece of code behind the job's answer, the poller and the
webhook. Refunds that somebody made at the gateway by hand are adopted here."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.ledger.entries import Account
from kapda.domain.orders import postings
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.refunder import refund_event
from kapda.domain.payments.gateway import GatewayRefund
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase
from kapda.domain.payments.refund import Refund, RefundKind, RefundState, next_look
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CaseId, IdGenerator, RefundId


@dataclass(frozen=True, slots=True)
class RecordRefund:
    """Moves our refund forward, once for each step, and books each step. The payment's lock comes before everything.

    A refund of a payment that was never captured for us is none of ours: the gateway gives such money back by itself.
    Raises AbortedError (CONCURRENT_UPDATE) for a refund that does not fit into what the payment has left because others
    are still under way; it is taken up again when they have ended.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    clock: Clock
    ids: IdGenerator

    async def told(self, told: GatewayRefund) -> Refund | None:
        """Our refund after the gateway's news; None when the payment is none of ours."""
        async with self.unit_of_work() as uow:
            known = await uow.payments.by_gateway_id(told.payment_id)
            payment = await uow.payments.lock(known.id) if known is not None else None
            if payment is None:
                return None
            refund = await self._find(uow, told, payment) or await self._adopt(uow, told, payment)
            after = refund.told(told.id, told.state)
            if after != refund:
                await uow.refunds.save(after, self.clock.now() + next_look(after.attempts))
            if after.state is not refund.state:
                await self._moved(uow, refund.state, after, payment)
            await uow.commit()
        return after

    async def refused(self, refund_id: RefundId) -> None:
        """The gateway refused our refund for good: it is still owed, and a person has to decide how."""
        async with self.unit_of_work() as uow:
            known = await uow.refunds.get(refund_id)
            payment = await uow.payments.lock(known.payment_id) if known is not None else None
            refund = await uow.refunds.lock(refund_id)
            if refund is None or payment is None or refund.state is not RefundState.REQUESTED:
                return
            after = refund.refused()
            await uow.refunds.save(after, self.clock.now())
            await self._moved(uow, refund.state, after, payment)
            await uow.commit()

    async def _find(self, uow: OrderUnitOfWork, told: GatewayRefund, payment: Payment) -> Refund | None:
        """By the gateway's id, by our reference, or as the refund somebody made by hand before our own call could."""
        refund_id = await uow.refunds.find_by_gateway_id(told.id) or await self._named(uow, told)
        if refund_id is None:
            unsent = (
                refund.id
                for refund in await uow.refunds.of_payment(payment.id)
                if refund.state is RefundState.REQUESTED and refund.amount == told.amount
            )
            refund_id = next(unsent, None)
        refund = await uow.refunds.lock(refund_id) if refund_id is not None else None
        # One that is known at the gateway under another id already is another one: both have gone.
        same = refund is not None and refund.gateway_refund_id in (None, told.id)
        return refund if same and refund is not None and refund.amount == told.amount else None

    async def _named(self, uow: OrderUnitOfWork, told: GatewayRefund) -> RefundId | None:
        """Ours by our reference, unless it was refused and what it owed has been settled since: then this is another one."""
        refund_id = _ours(told.receipt)
        refund = await uow.refunds.get(refund_id) if refund_id is not None else None
        if refund is None or not refund.was_refused:
            return refund_id
        case = await uow.cases.of_refund(refund.id)
        return refund.id if case is not None and case.state is CaseState.OPEN else None

    async def _adopt(self, uow: OrderUnitOfWork, told: GatewayRefund, payment: Payment) -> Refund:
        """Take over a refund that somebody made at the gateway: as what a failed one of ours still owes, or as its own."""
        owed = await self._owed(uow, told, payment)
        refund = Refund(
            id=RefundId(self.ids.new()),
            kind=RefundKind.DASHBOARD if owed is None else RefundKind.CASE,
            payment_id=payment.id,
            gateway_payment_id=payment.gateway_payment_id,
            order_id=payment.order_id,
            case_id=owed.id if owed is not None else None,
            amount=told.amount,
            state=RefundState.REQUESTED,
            gateway_refund_id=told.id,
            reason="made at the gateway",
            actor="gateway",
            requested_at=self.clock.now(),
        )
        if owed is None and not await uow.payments.reserve_refund(payment.id, told.amount):
            raise AbortedError(
                Reason.CONCURRENT_UPDATE,
                "a refund made at the gateway does not fit beside the refunds under way",
                metadata={"razorpay_refund_id": told.id},
            )
        await uow.refunds.add(refund, refund.requested_at + next_look(0))
        if owed is not None:
            await uow.cases.save(owed.sent_back_by_hand(self.clock.now()))
            return refund
        await uow.ledger.book(postings.refund_requested(self.ids.new(), refund, _source(payment)))
        if payment.order_id is not None:
            await self._open_case(uow, CaseKind.DASHBOARD_REFUND, refund, payment)
        return refund

    async def _owed(self, uow: OrderUnitOfWork, told: GatewayRefund, payment: Payment) -> PaymentCase | None:
        """The open case of a failed refund of that amount."""
        for refund in await uow.refunds.of_payment(payment.id):
            if refund.state is RefundState.FAILED and refund.amount == told.amount:
                case = await uow.cases.of_refund(refund.id)
                if case is not None and case.kind is CaseKind.REFUND_FAILED and case.state is CaseState.OPEN:
                    return case
        return None

    async def _moved(self, uow: OrderUnitOfWork, before: RefundState, refund: Refund, payment: Payment) -> None:
        now = self.clock.now()
        if refund.state is RefundState.PROCESSED:
            await uow.payments.note_refunded(payment.id, refund.amount)
            await uow.ledger.book(postings.refund_processed(self.ids.new(), refund, now))
            await uow.outbox.add(refund_event(refund, "refund.processed"))
            await self._close_emptied_case(uow, payment, refund)
            if before is not RefundState.REQUESTED:
                await self._close_own_case(uow, refund)
        elif refund.state is RefundState.FAILED:
            await uow.outbox.add(refund_event(refund, "refund.failed"))
            if refund.kind is RefundKind.DASHBOARD:
                await self._drop(uow, refund, payment)
                return
            if before is RefundState.PROCESSED:
                await uow.payments.note_returned(payment.id, refund.amount)
                await uow.ledger.book(postings.refund_returned(self.ids.new(), refund, now))
            await self._open_case(uow, CaseKind.REFUND_FAILED, refund, payment)

    async def _close_emptied_case(self, uow: OrderUnitOfWork, payment: Payment, refund: Refund) -> None:
        """A case whose money has all been sent back by hand has nothing left to decide."""
        if payment.order_id is None and payment.refunded + refund.amount == payment.amount:
            case = await uow.cases.of_payment(payment.gateway_payment_id)
            if case is not None and case.state is CaseState.OPEN:
                await uow.cases.save(case.sent_back_by_hand(self.clock.now()))

    async def _close_own_case(self, uow: OrderUnitOfWork, refund: Refund) -> None:
        """It had been refused, and has gone all the same."""
        case = await uow.cases.of_refund(refund.id)
        if case is not None and case.kind is CaseKind.REFUND_FAILED and case.state is CaseState.OPEN:
            await uow.cases.save(case.had_gone(self.clock.now()))

    async def _drop(self, uow: OrderUnitOfWork, refund: Refund, payment: Payment) -> None:
        """A refund that nobody here had promised failed: everything is as before it."""
        now = self.clock.now()
        await uow.payments.release_refund(payment.id, refund.amount)
        await uow.ledger.book(postings.refund_dropped(self.ids.new(), refund, _source(payment), now))
        case = await uow.cases.of_refund(refund.id)
        if case is not None and case.state is CaseState.OPEN:
            await uow.cases.save(case.came_to_nothing(now))

    async def _open_case(self, uow: OrderUnitOfWork, kind: CaseKind, refund: Refund, payment: Payment) -> None:
        """A refund has one case at most: where it failed before, the same is open still, or again."""
        known = await uow.cases.of_refund(refund.id)
        if known is not None:
            if known.state is not CaseState.OPEN:
                await uow.cases.save(known.reopened())
            return
        await uow.cases.add(
            PaymentCase(
                id=CaseId(self.ids.new()),
                kind=kind,
                gateway_payment_id=payment.gateway_payment_id,
                payment_id=payment.id,
                checkout_id=payment.checkout_id,
                refund_id=refund.id,
                amount=refund.amount,
                evidence={
                    "refund_kind": refund.kind.value,
                    "refund_state": refund.state.value,
                    "razorpay_refund_id": refund.gateway_refund_id or "",
                    "order_id": str(refund.order_id or ""),
                    "reason": refund.reason,
                },
                state=CaseState.OPEN,
                opened_at=self.clock.now(),
            )
        )


def _source(payment: Payment) -> Account:
    """Where the money of a refund that nobody here promised comes from."""
    return Account.UNASSIGNED_RECEIPTS if payment.order_id is None else Account.REFUND_ADJUSTMENTS


def _ours(receipt: str | None) -> RefundId | None:
    try:
        return RefundId(UUID(receipt)) if receipt is not None else None
    except ValueError:
        return None
