"""Asks the gateway about one checkout: the third of the finisher's doors, and the end of what nobody pays."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb
from kapda.domain.checkout.policy import next_check
from kapda.domain.checkout.use_cases.open_at_gateway import OpenAtGateway, end_checkout
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import FinishPayment, FinishPaymentCommand
from kapda.domain.orders.use_cases.record_refund import RecordRefund
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import DomainError
from kapda.domain.shared.ids import CheckoutId


@dataclass(frozen=True, slots=True)
class SettleCheckoutCommand:
    """Which checkout."""

    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True)
class SettleCheckout:
    """Resumes an opening that broke off, finishes whatever was paid, takes note of what went back, and expires a hold
    that has run out unpaid.

    The gateway is asked before a hold is given back, so that money on its way never meets stock that is gone for want
    of a question. Raises GatewayUnknownError, and what resuming an opening raises; the next look is scheduled before
    anything else, so a failure only waits.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    open_at_gateway: OpenAtGateway
    finish_payment: FinishPayment
    record_refund: RecordRefund
    clock: Clock

    async def execute(self, command: SettleCheckoutCommand) -> None:
        """Look once."""
        now = self.clock.now()
        checkout = await self._take(command.checkout_id, now)
        if checkout is None:
            return
        # Only a pin older than the gateway's answer can be told by it to have come to nothing: another door may have
        # pinned the checkout since, for a capture that is on its way.
        pinned = checkout.state is CheckoutState.CAPTURING
        if checkout.state is CheckoutState.OPENING and now < checkout.pay_before:
            checkout = await self.open_at_gateway.resume(checkout.id, None)
        payments: tuple[GatewayPayment, ...] = ()
        if checkout.gateway_order_id is not None:
            payments = await self.gateway.payments_of_order(checkout.gateway_order_id)
        # Money that is in comes first: with an order placed for it, no more need be captured.
        failure = await _each(self._finish, sorted(payments, key=lambda payment: not payment.captured))
        if failure is None:
            await self._let_go(checkout.id, unpin=pinned)
        # Last: what went back, and cannot be booked yet, is no reason to keep pieces from the shelf.
        failure = await _each(self._note_refunds, payments) or failure
        if failure is not None:
            raise failure

    async def _take(self, checkout_id: CheckoutId, now: datetime) -> Checkout | None:
        async with self.unit_of_work() as uow:
            checkout = await uow.checkouts.get(checkout_id, None)
            if checkout is None:
                return None
            attempts = await uow.checkouts.check_attempts(checkout_id)
            late = checkout.hold_until <= now
            again = next_check(checkout.created_at, checkout.hold_until, now, attempts)
            await uow.checkouts.schedule_check(checkout_id, attempts + 1 if late else attempts, again)
            await uow.commit()
        return checkout

    async def _finish(self, payment: GatewayPayment) -> None:
        if payment.captured or payment.given_back or payment.state is GatewayPaymentState.AUTHORIZED:
            await self.finish_payment.execute(FinishPaymentCommand(payment.id, "poller"))

    async def _note_refunds(self, payment: GatewayPayment) -> None:
        """Of refunds that somebody made at the gateway no more than a webhook tells, which may be lost."""
        if payment.captured and payment.amount_refunded.is_positive:
            for told in await self.gateway.refunds_of_payment(payment.id):
                await self.record_refund.told(told)

    async def _let_go(self, checkout_id: CheckoutId, *, unpin: bool) -> None:
        """What is still unpaid: a capture that came to nothing is unpinned, a hold that has run out is given back."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            checkout = await uow.checkouts.lock(checkout_id, None)
            if checkout is None:
                return
            if unpin and checkout.allows(CheckoutVerb.UNPIN):
                checkout = checkout.after(CheckoutVerb.UNPIN)
                await uow.checkouts.save(checkout, now)
            if checkout.has_run_out(now):
                await end_checkout(uow, checkout.after(CheckoutVerb.EXPIRE), now)
            await uow.commit()


async def _each(
    step: Callable[[GatewayPayment], Awaitable[None]], payments: Iterable[GatewayPayment]
) -> DomainError | None:
    """Take the step for every payment, because one that cannot be dealt with now must not keep the others waiting; the
    first failure."""
    failure: DomainError | None = None
    for payment in payments:
        try:
            await step(payment)
        except DomainError as error:
            failure = failure or error
    return failure
