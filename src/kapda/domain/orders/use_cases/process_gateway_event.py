"""Works on a stored webhook delivery: the second of the finisher's doors."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import FinishPayment, FinishPaymentCommand
from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState, retry_delay
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ProcessGatewayEventCommand:
    """Which delivery, by our own id."""

    event: UUID


@dataclass(frozen=True, slots=True)
class ProcessGatewayEvent:
    """Looks the event's payment up and finishes it. Running again is harmless; a failure postpones the event."""

    unit_of_work: Callable[[], OrderUnitOfWork]
    finish_payment: FinishPayment
    clock: Clock

    async def execute(self, command: ProcessGatewayEventCommand) -> None:
        """Process, or leave for later and raise what stood in the way."""
        event = await self._pending(command.event)
        if event is None or event.gateway_payment_id is None:
            return
        try:
            finished = await self.finish_payment.execute(
                FinishPaymentCommand(event.gateway_payment_id, f"webhook {event.event_type}")
            )
        except Exception:
            await self._postpone(event)
            raise
        async with self.unit_of_work() as uow:
            await uow.gateway_events.finish(event.id, finished.ending.value, self.clock.now())
            await uow.commit()

    async def _pending(self, event_id: UUID) -> GatewayEvent | None:
        async with self.unit_of_work() as uow:
            event = await uow.gateway_events.get(event_id)
        return event if event is not None and event.state is GatewayEventState.PENDING else None

    async def _postpone(self, event: GatewayEvent) -> None:
        attempts = event.attempts + 1
        async with self.unit_of_work() as uow:
            await uow.gateway_events.postpone(event.id, attempts, self.clock.now() + retry_delay(attempts))
            await uow.commit()
