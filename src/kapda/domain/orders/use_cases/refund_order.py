"""Part of an order goes back, by an admin's decision."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.stock import HoldLine
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.refusals import order_not_found
from kapda.domain.orders.reversal import LineQuantity, reverse
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.payments.refund import Refund, RefundKind
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import HoldId, OrderId, RequestId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class RefundOrderCommand:
    """By whose signed request, which pieces of which lines and how much of the shipping charge; `restock` puts the pieces
    back on the shelf."""

    principal: Principal
    proof: RequestProof
    request_id: RequestId
    order_id: OrderId
    lines: tuple[LineQuantity, ...]
    shipping: Money
    restock: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Promises the money back, once a request id; a job sends it.

    Raises PermissionDeniedError (NONCE_REUSED), NotFoundError (ORDER_NOT_FOUND), InvalidArgumentError (VALIDATION_FAILED)
    and FailedPreconditionError (REFUND_EXCEEDS_ORDER).
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    refunder: Refunder
    clock: Clock

    async def execute(self, command: RefundOrderCommand) -> Answer[Refund]:
        """The refund, requested."""
        principal = command.principal
        key = RequestKey(
            principal.user_id,
            "RefundOrder",
            command.request_id,
            fingerprint(command.order_id, command.lines, command.shipping, command.restock, command.reason),
        )
        async with self.unit_of_work() as uow:
            await uow.nonces.spend(command.proof)
            earlier = await uow.requests.claim(key, Refund)
            if earlier is not None and earlier.answer is not None:
                # The retry was signed for itself: its nonce is spent like the first one's.
                await uow.commit()
                return Answer(earlier.answer, replayed=True)
            found = await uow.orders.get(command.order_id, None)
            payment = await uow.payments.lock(found.payment_id) if found is not None else None
            order = await uow.orders.lock(command.order_id, None)
            if order is None or payment is None:
                raise order_not_found(command.order_id)
            reversal = reverse(order, await uow.orders.returned(order.id), command.lines, command.shipping)
            refund = await self.refunder.of_order(
                uow,
                RefundKind.ORDER_LINES,
                order,
                payment,
                reversal,
                reason=command.reason,
                actor=f"{principal.role.value} {principal.user_id}",
            )
            await uow.requests.answer(key, refund)
            if command.restock and reversal.lines:
                pieces = [HoldLine(line.variant_id, line.quantity) for line in reversal.lines]
                reason = f"order {order.number} refunded"
                await uow.stock.take_back(HoldId(order.checkout_id), pieces, self.clock.now(), reason)
            await uow.commit()
        return Answer(refund)
