"""Works on a stored webhook delivery: the second of the finisher's doors."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import FinishPayment, FinishPaymentCommand
from kapda.domain.orders.use_cases.record_refund import RecordRefund
from kapda.domain.payments.gateway import GatewayRefund
from kapda.domain.payments.gateway_event import REFUND_EVENTS, GatewayEvent, GatewayEventState, retry_delay
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ProcessGatewayEventCommand:
    """Which delivery, by our own id."""

    event: UUID


@dataclass(frozen=True, slots=True)
class ProcessGatewayEvent:
    """Looks the event's payment or refund up and carries on from there. Running again is harmless; a failure only
    postpones the event."""

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    finish_payment: FinishPayment
    record_refund: RecordRefund
    clock: Clock

    async def execute(self, command: ProcessGatewayEventCommand) -> None:
        """Process, or leave for later and raise what stood in the way."""
        event = await self._pending(command.event)
        if event is None:
            return
        try:
            outcome = await self._look_up(event)
        except Exception:
            await self._postpone(event)
            raise
        async with self.unit_of_work() as uow:
            await uow.gateway_events.finish(event.id, outcome, self.clock.now())
            await uow.commit()

    async def _look_up(self, event: GatewayEvent) -> str:
        """What came of it, for people who look into the inbox."""
        if event.event_type in REFUND_EVENTS and event.gateway_refund_id is not None:
            told = await self.gateway.fetch_refund(event.gateway_refund_id)
            refund = await self._record(told, event.event_type) if told is not None else None
            return f"refund {refund.state.value}" if refund is not None else "not ours"
        if event.gateway_payment_id is None:
            return "names no payment"
        command = FinishPaymentCommand(event.gateway_payment_id, f"webhook {event.event_type}")
        return (await self.finish_payment.execute(command)).ending.value

    async def _record(self, told: GatewayRefund, event_type: str) -> Refund | None:
        refund = await self.record_refund.told(told)
        if refund is None:
            # The refund may have been heard of before its payment was.
            await self.finish_payment.execute(FinishPaymentCommand(told.payment_id, f"webhook {event_type}"))
            refund = await self.record_refund.told(told)
        return refund

    async def _pending(self, event_id: UUID) -> GatewayEvent | None:
        async with self.unit_of_work() as uow:
            event = await uow.gateway_events.get(event_id)
        return event if event is not None and event.state is GatewayEventState.PENDING else None

    async def _postpone(self, event: GatewayEvent) -> None:
        attempts = event.attempts + 1
        async with self.unit_of_work() as uow:
            await uow.gateway_events.postpone(event.id, attempts, self.clock.now() + retry_delay(attempts))
            await uow.commit()
