"""A person ends a payment case."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb, checkout_not_found, invalid_state
from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.stock import HoldLine, insufficient_stock
from kapda.domain.ledger.entries import Account, TransactionKind
from kapda.domain.orders import postings
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.refusals import order_not_found
from kapda.domain.orders.reversal import everything_left, exceeds_order
from kapda.domain.orders.use_cases.bookkeeper import Bookkeeper
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import CaseKind, PaymentCase, Resolution, case_not_found, refund_under_way
from kapda.domain.payments.refund import UNDER_WAY
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CaseId, IdGenerator, RequestId
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof

Step = Callable[[OrderUnitOfWork, PaymentCase, Checkout, Payment], Awaitable[None]]
_PLACEABLE = frozenset({CheckoutState.OPENING, CheckoutState.OPEN, CheckoutState.CAPTURING, CheckoutState.EXPIRED})


@dataclass(frozen=True, slots=True)
class ResolveCaseCommand:
    """Who ends which case how, by which signed request, and why."""

    principal: Principal
    proof: RequestProof
    request_id: RequestId
    case_id: CaseId
    resolution: Resolution
    reason: str


@dataclass(frozen=True, slots=True)
class ResolveCase:
    """Ends an open case, once a request id, with everything that its resolution asks for in the same transaction.

    Raises NotFoundError (CASE_NOT_FOUND) and FailedPreconditionError: CASE_RESOLUTION_NOT_ALLOWED; placing needs the
    checkout's own amount, none of it sent back, in a state that may still be placed (CHECKOUT_STATE_INVALID) and its stock
    (INSUFFICIENT_STOCK); attaching needs a refund of all that is left of its order (REFUND_EXCEEDS_ORDER); nothing can be
    decided while a refund of the money in question is under way (CASE_RESOLUTION_NOT_ALLOWED).
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    bookkeeper: Bookkeeper
    refunder: Refunder
    clock: Clock
    ids: IdGenerator

    async def execute(self, command: ResolveCaseCommand) -> Answer[PaymentCase]:
        """The case as it ended."""
        principal = command.principal
        key = RequestKey(
            principal.user_id,
            "ResolveCase",
            command.request_id,
            fingerprint(command.case_id, command.resolution, command.reason),
        )
        actor = f"{principal.role.value} {principal.user_id}"
        async with self.unit_of_work() as uow:
            await uow.nonces.spend(command.proof)
            earlier = await uow.requests.claim(key, PaymentCase, command.case_id)
            if earlier is not None and earlier.answer is not None:
                # The retry was signed for itself: its nonce is spent like the first one's.
                await uow.commit()
                return Answer(earlier.answer, replayed=True)
            case, checkout, payment = await self._lock(uow, command.case_id)
            resolved = case.resolved(command.resolution, actor, command.reason, self.clock.now())
            if await self._refund_under_way(uow, case):
                raise refund_under_way(case)
            await uow.cases.save(resolved)
            await uow.requests.answer(key, resolved)
            await self._step(command.resolution)(uow, resolved, checkout, payment)
            await uow.commit()
        return Answer(resolved)

    async def _lock(self, uow: OrderUnitOfWork, case_id: CaseId) -> tuple[PaymentCase, Checkout, Payment]:
        """In the order that every door keeps: cart, checkout, payment, case."""
        found = await uow.cases.find(case_id)
        if found is None:
            raise case_not_found(case_id)
        ref = await uow.checkouts.find(found.checkout_id)
        checkout = await uow.checkouts.lock_behind_cart(ref) if ref is not None else None
        payment = await uow.payments.lock(found.payment_id)
        case = await uow.cases.lock(case_id)
        if case is None or checkout is None or payment is None:
            raise checkout_not_found(found.checkout_id)
        return case, checkout, payment

    async def _refund_under_way(self, uow: OrderUnitOfWork, case: PaymentCase) -> bool:
        """Of the whole payment's, where the case is about its money; of the case's own refund, where it is about that."""
        return any(
            refund.state in UNDER_WAY and case.refund_id in (None, refund.id)
            for refund in await uow.refunds.of_payment(case.payment_id)
        )

    async def _refund(self, uow: OrderUnitOfWork, case: PaymentCase, checkout: Checkout, payment: Payment) -> None:
        if not (payment.left.is_positive or case.kind is CaseKind.REFUND_FAILED):
            raise exceeds_order(f"payment {payment.gateway_payment_id} of checkout {checkout.id}")
        await self.refunder.of_case(
            uow, case, payment, reason=case.resolution_reason or "", actor=case.resolved_by or ""
        )

    async def _place(self, uow: OrderUnitOfWork, case: PaymentCase, checkout: Checkout, payment: Payment) -> None:
        """Give the checkout the payment's gateway order and its stock, and make the order."""
        if payment.left != checkout.total or checkout.state not in _PLACEABLE:
            raise invalid_state(checkout, CheckoutVerb.PLACE)
        if checkout.state is CheckoutState.EXPIRED:
            lines = [HoldLine(line.variant_id, line.quantity) for line in checkout.lines]
            shortages = await uow.stock.hold(checkout.hold_id, lines, self.clock.now())
            if shortages:
                raise insufficient_stock(shortages)
        opened = checkout.after(CheckoutVerb.OPEN) if checkout.state is CheckoutState.OPENING else checkout
        paid = replace(opened, gateway_order_id=payment.gateway_order_id)
        await self.bookkeeper.place_case(uow, paid, payment, case.resolved_by or "")

    async def _attach(self, uow: OrderUnitOfWork, case: PaymentCase, checkout: Checkout, payment: Payment) -> None:
        """Take the money that went back out of everything its order still has."""
        order = await uow.orders.of_checkout(checkout.id)
        refund = await uow.refunds.lock(case.refund_id) if case.refund_id is not None else None
        if order is None or refund is None or payment.order_id is None:
            raise order_not_found(payment.order_id) if payment.order_id else checkout_not_found(checkout.id)
        await uow.orders.lock(order.id, None)
        reversal = everything_left(order, await uow.orders.returned(order.id))
        if reversal.amount != refund.amount:
            raise exceeds_order(f"refund {refund.id} is not all that is left of order {order.number}")
        await uow.orders.add_reversal(order.id, refund.id, reversal)
        booked = postings.lines_reversed(self.ids.new(), refund, reversal, Account.REFUND_ADJUSTMENTS)
        await uow.ledger.book(replace(booked, kind=TransactionKind.REFUND_ATTACHED))

    async def _write_off(self, uow: OrderUnitOfWork, case: PaymentCase, _: Checkout, payment: Payment) -> None:
        if case.kind is CaseKind.REFUND_FAILED:
            await uow.payments.release_refund(payment.id, case.amount)
        left = payment.left if case.refund_id is None else case.amount
        if left.is_positive:
            await uow.ledger.book(postings.case_written_off(self.ids.new(), case, left, self.clock.now()))

    def _step(self, resolution: Resolution) -> Step:
        steps: Mapping[Resolution, Step] = {
            Resolution.PLACE: self._place,
            Resolution.REFUND: self._refund,
            Resolution.ATTACH: self._attach,
            Resolution.WRITE_OFF: self._write_off,
        }
        return steps[resolution]
