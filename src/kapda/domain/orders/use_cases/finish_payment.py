"""The finisher: what a payment at the gateway means for us, carried out.

Three doors lead here (the browser's return, the webhook's job, the poller) and any may come first, twice, or at once
with another. The gateway is asked for the payment as it is now; then everything is decided and written in one
transaction under the checkout's lock, where the later doors find what the first one made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique

from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb, checkout_not_found
from kapda.domain.checkout.policy import OPEN_CHECK_INTERVAL
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.inventory.stock import HoldLine
from kapda.domain.orders.order import Order
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.bookkeeper import Bookkeeper
from kapda.domain.orders.use_cases.whose_payment import WhosePayment
from kapda.domain.orders.verdict import Step, judge
from kapda.domain.payments.gateway import GatewayPayment, GatewayRefusedError
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import CaseKind, PaymentCase
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import CheckoutId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey


@dataclass(frozen=True, slots=True)
class FinishPaymentCommand:
    """`actor` is who came through the door. The browser's door insists on its own checkout, as it was when it was read,
    and brings its request."""

    gateway_payment_id: str
    actor: str
    checkout: Checkout | None = None
    request: RequestKey | None = None


@unique
class Ending(Enum):
    """PLACED: there is an order. CASE: the money awaits a decision. WAITING: no captured money yet. FOREIGN: not ours."""

    PLACED = "placed"
    CASE = "case"
    WAITING = "waiting"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of the payment. `replayed` when the request had its answer before."""

    ending: Ending
    order: Order | None = None
    case: PaymentCase | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Capture:
    """The transaction's answer when the money must be captured first; the checkout is pinned for it."""

    checkout: Checkout


_WAITING = Finished(Ending.WAITING)


@dataclass(frozen=True, slots=True)
class FinishPayment:
    """Raises GatewayUnknownError; FailedPreconditionError (PAYMENT_MISMATCH) for a payment of another checkout than the
    one insisted on; InvalidArgumentError (REQUEST_ID_REUSED)."""

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    whose_payment: WhosePayment
    bookkeeper: Bookkeeper
    clock: Clock

    async def execute(self, command: FinishPaymentCommand) -> Finished:
        """Bring the payment to the ending it can have now. Safe to run again at any time."""
        payment = await self.gateway.fetch_payment(command.gateway_payment_id)
        if payment is None:
            return _WAITING
        ref = await self._checkout_of(payment, command.checkout)
        if ref is None:
            return Finished(Ending.FOREIGN)
        decided = await self._decide(command, ref, payment)
        if isinstance(decided, _Capture):
            captured = await self._capture(decided.checkout, payment)
            if captured is None:
                return _WAITING
            decided = await self._decide(command, ref, captured)
        # A payment that is still only authorised after its capture was answered waits for the next look.
        return _WAITING if isinstance(decided, _Capture) else decided

    async def _checkout_of(self, payment: GatewayPayment, insisted: Checkout | None) -> CheckoutRef | None:
        # A checkout's order at the gateway is its own for ever: nothing need be looked up for the one insisted on.
        if (
            insisted is not None
            and insisted.gateway_order_id is not None
            and payment.order_id == insisted.gateway_order_id
        ):
            return CheckoutRef(insisted.id, insisted.cart_id)
        ref = await self.whose_payment.checkout_of(payment)
        if insisted is not None and (ref is None or ref.id != insisted.id):
            raise _mismatch(insisted.id, payment)
        return ref

    async def _decide(
        self, command: FinishPaymentCommand, ref: CheckoutRef, payment: GatewayPayment
    ) -> Finished | _Capture:
        async with self.unit_of_work() as uow:
            checkout = await _claim_and_lock(uow, command.request, ref)
            if isinstance(checkout, Order):
                return Finished(Ending.PLACED, order=checkout, replayed=True)
            decided = await self._carry_out(uow, command, checkout, payment)
            if decided is _WAITING:
                return decided
            await uow.commit()
        return decided

    async def _carry_out(
        self, uow: OrderUnitOfWork, command: FinishPaymentCommand, checkout: Checkout, payment: GatewayPayment
    ) -> Finished | _Capture:
        found = await uow.orders.payment_or_number(payment.id)
        if isinstance(found, Payment) and found.order_id is None:
            return Finished(Ending.CASE, case=await uow.cases.of_payment(payment.id))
        verdict = judge(checkout, payment, paid_the_order=isinstance(found, Payment))
        if verdict.step is Step.WAIT:
            return await self._wait(uow, checkout, payment)
        if verdict.step is Step.CAPTURE:
            return await self._pin(uow, checkout)
        if verdict.step is Step.PLACED or isinstance(found, Payment):
            return Finished(Ending.PLACED, order=await self._placed(uow, command, checkout))
        kind = verdict.case
        if verdict.step is Step.REHOLD and not await self._rehold(uow, checkout):
            kind = CaseKind.STOCK_GONE
        if kind is not None:
            return Finished(Ending.CASE, case=await self.bookkeeper.open_case(uow, kind, checkout, payment))
        order = await self.bookkeeper.place(
            uow, checkout, payment, number=found, actor=command.actor, request=command.request
        )
        return Finished(Ending.PLACED, order=order)

    async def _placed(self, uow: OrderUnitOfWork, command: FinishPaymentCommand, checkout: Checkout) -> Order | None:
        order = await uow.orders.of_checkout(checkout.id)
        if order is not None and command.request is not None:
            await uow.requests.answer(command.request, order)
        return order

    async def _wait(self, uow: OrderUnitOfWork, checkout: Checkout, payment: GatewayPayment) -> Finished:
        if not payment.given_back:
            return _WAITING
        await self.bookkeeper.tell_given_back(uow, checkout)
        # Not _WAITING itself: there is something to commit.
        return Finished(Ending.WAITING)

    async def _rehold(self, uow: OrderUnitOfWork, checkout: Checkout) -> bool:
        lines = [HoldLine(line.variant_id, line.quantity) for line in checkout.lines]
        return not await uow.stock.hold(checkout.hold_id, lines, self.clock.now())

    async def _pin(self, uow: OrderUnitOfWork, checkout: Checkout) -> Finished | _Capture:
        """Keep expiry off while the money is captured; for a checkout that has expired, hold its stock again first."""
        if checkout.state is CheckoutState.CAPTURING:
            return _Capture(checkout)
        # Money nobody has taken yet need not be taken: another live checkout of the cart, or stock that is gone, leave
        # the payment to the gateway's own refund.
        if checkout.state is CheckoutState.EXPIRED and (
            await uow.checkouts.lock_live(checkout.cart_id) is not None or not await self._rehold(uow, checkout)
        ):
            return _WAITING
        now = self.clock.now()
        pinned = checkout.after(CheckoutVerb.PIN)
        await uow.checkouts.save(pinned, now)
        # Should the capture stay unanswered, the poller finds out soon, however late this checkout is.
        await uow.checkouts.schedule_check(checkout.id, 0, now + OPEN_CHECK_INTERVAL)
        return _Capture(pinned)

    async def _capture(self, checkout: Checkout, payment: GatewayPayment) -> GatewayPayment | None:
        try:
            return await self.gateway.capture(payment.id, payment.amount)
        except GatewayRefusedError:
            async with self.unit_of_work() as uow:
                current = await uow.checkouts.lock(checkout.id, None)
                if current is not None and current.allows(CheckoutVerb.UNPIN):
                    await uow.checkouts.save(current.after(CheckoutVerb.UNPIN), self.clock.now())
                    await uow.commit()
            return None


async def _claim_and_lock(uow: OrderUnitOfWork, request: RequestKey | None, ref: CheckoutRef) -> Checkout | Order:
    """The checkout, locked behind its cart, or the order that the request was answered with before."""
    if request is None:
        checkout = await uow.checkouts.lock_behind_cart(ref)
    else:
        claimed = await uow.checkouts.claim_and_lock(request, Order, ref)
        if isinstance(claimed, EarlierRequest):
            if claimed.answer is not None:
                return claimed.answer
            # It was claimed to capture the money, and is not answered yet.
            claimed = await uow.checkouts.lock_behind_cart(ref)
        checkout = claimed
    if checkout is None:
        raise checkout_not_found(ref.id)
    return checkout


def _mismatch(checkout_id: CheckoutId, payment: GatewayPayment) -> FailedPreconditionError:
    return FailedPreconditionError(
        Reason.PAYMENT_MISMATCH,
        "the payment was made for something else",
        metadata={"checkout_id": str(checkout_id), "razorpay_payment_id": payment.id},
    )
