"""An order is called off before it is sent: stock and money go back, once."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.signing import signature_missing
from kapda.domain.inventory.stock import HoldLine
from kapda.domain.orders.order import Order, OrderVerb
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.refusals import order_not_found
from kapda.domain.orders.reversal import everything_left
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.payments.refund import RefundKind
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import HoldId, OrderId, RequestId
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class CancelOrderCommand:
    """A customer's own order, or anybody's for an admin, whose request was signed: `proof` is None for others."""

    principal: Principal
    proof: RequestProof | None
    request_id: RequestId
    order_id: OrderId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancels, once a request id; the refund is promised in the same transaction and sent right after it.

    Raises PermissionDeniedError (SIGNATURE_MISSING, NONCE_REUSED), NotFoundError (ORDER_NOT_FOUND) and
    FailedPreconditionError (ORDER_STATE_INVALID, REFUND_EXCEEDS_ORDER).
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    refunder: Refunder
    clock: Clock

    async def execute(self, command: CancelOrderCommand) -> Answer[Order]:
        """The cancelled order."""
        principal = command.principal
        owner = principal.owner
        # Whoever sees everybody's orders sends money that is not theirs: a stolen token must not be enough.
        if owner is None and command.proof is None:
            raise signature_missing()
        key = RequestKey(
            principal.user_id, "CancelOrder", command.request_id, fingerprint(command.order_id, command.reason)
        )
        async with self.unit_of_work() as uow:
            if command.proof is not None:
                await uow.nonces.spend(command.proof)
            earlier = await uow.requests.claim(key, Order, command.order_id)
            if earlier is not None and earlier.answer is not None:
                # The retry was signed for itself: its nonce is spent like the first one's.
                await uow.commit()
                return Answer(earlier.answer, replayed=True)
            found = await uow.orders.get(command.order_id, owner)
            payment = await uow.payments.lock(found.payment_id) if found is not None else None
            order = await uow.orders.lock(command.order_id, owner)
            if order is None or payment is None:
                raise order_not_found(command.order_id)
            now = self.clock.now()
            actor = f"{principal.role.value} {principal.user_id}"
            cancelled = order.after(OrderVerb.CANCEL, at=now, reason=command.reason, actor=actor)
            returned = await uow.orders.returned(order.id)
            await uow.orders.save(cancelled)
            reversal = everything_left(order, returned)
            if reversal.amount.is_positive:
                await self.refunder.of_order(
                    uow,
                    RefundKind.ORDER_CANCELLED,
                    order,
                    payment,
                    reversal,
                    reason=command.reason,
                    actor=actor,
                )
            await uow.outbox.add(_order_cancelled(cancelled))
            await uow.requests.answer(key, cancelled)
            if reversal.lines:
                pieces = [HoldLine(line.variant_id, line.quantity) for line in reversal.lines]
                await uow.stock.take_back(HoldId(order.checkout_id), pieces, now, f"order {order.number} cancelled")
            await uow.commit()
        return Answer(cancelled)


def _order_cancelled(order: Order) -> DomainEvent:
    return DomainEvent(
        "order",
        order.id,
        "order.cancelled",
        order.history[-1].at,
        {"order_id": str(order.id), "number": order.number, "customer_id": str(order.customer_id)},
    )
