"""Sends a promised refund, and asks after one that is on its way."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.record_refund import RecordRefund
from kapda.domain.payments.gateway import GatewayRefund, GatewayRefundRequest, GatewayRefusedError
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.payments.refund import UNDER_WAY, Refund, RefundState, next_look
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import RefundId


@dataclass(frozen=True, slots=True)
class SendRefundCommand:
    """Which refund."""

    refund_id: RefundId


@dataclass(frozen=True, slots=True)
class SendRefund:
    """Looks at one refund under way. Running again is harmless: the key and the body never change, and what an earlier
    call may have done is looked up before the key is used again.

    Raises GatewayUnknownError; the next look is scheduled before anything else, so a failure only waits.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    record_refund: RecordRefund
    clock: Clock

    async def execute(self, command: SendRefundCommand) -> None:
        """Send, or ask."""
        refund = await self._take(command.refund_id)
        if refund is None:
            return
        try:
            told = await self._ask(refund)
        except GatewayRefusedError:
            # An earlier, unanswered call may be what it is refused for.
            told = await self._sent_already(refund)
            if told is None:
                await self.record_refund.refused(refund.id)
        if told is not None:
            await self.record_refund.told(told)

    async def _take(self, refund_id: RefundId) -> Refund | None:
        async with self.unit_of_work() as uow:
            refund = await uow.refunds.get(refund_id)
            if refund is None or refund.state not in UNDER_WAY:
                return None
            attempts = refund.attempts + 1
            await uow.refunds.postpone(refund_id, attempts, self.clock.now() + next_look(attempts))
            await uow.commit()
        return refund

    async def _ask(self, refund: Refund) -> GatewayRefund | None:
        if refund.state is RefundState.PENDING and refund.gateway_refund_id is not None:
            return await self.gateway.fetch_refund(refund.gateway_refund_id)
        if refund.attempts and (found := await self._sent_already(refund)) is not None:
            return found
        return await self.gateway.refund(
            GatewayRefundRequest(refund.gateway_payment_id, refund.amount, refund.idempotency_key)
        )

    async def _sent_already(self, refund: Refund) -> GatewayRefund | None:
        for told in await self.gateway.refunds_of_payment(refund.gateway_payment_id):
            if told.receipt == refund.idempotency_key:
                return told
        return None
