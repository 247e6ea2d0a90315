"""Takes a webhook delivery in: verified, stored, and its work queued, before the gateway is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState
from kapda.domain.payments.ports import WebhookSignatures, WebhookUnitOfWork
from kapda.domain.payments.webhook_body import read_event
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.jobs import Job


@dataclass(frozen=True, slots=True)
class ReceiveGatewayEventCommand:
    """The delivery as it came: `headers` with lower-case names, `body` untouched."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ReceiveGatewayEvent:
    """Stores a delivery once.

    A duplicate of an event not processed yet wakes it again. Raises InvalidArgumentError: PAYMENT_SIGNATURE_INVALID for
    a missing or wrong signature, VALIDATION_FAILED for a signed body that is no event of our account.
    """

    unit_of_work: Callable[[], WebhookUnitOfWork]
    signatures: WebhookSignatures
    clock: Clock
    ids: IdGenerator
    account_id: str

    async def execute(self, command: ReceiveGatewayEventCommand) -> GatewayEvent:
        """The stored event, committed."""
        if not self.signatures.is_valid(command.body, command.headers.get("x-razorpay-signature", "")):
            raise InvalidArgumentError(Reason.PAYMENT_SIGNATURE_INVALID, "the webhook signature is missing or wrong")
        received = read_event(command.headers.get("x-razorpay-event-id", ""), command.body, self.account_id)
        async with self.unit_of_work() as uow:
            event = await uow.gateway_events.store(self.ids.new(), received, self.clock.now())
            if event.state is GatewayEventState.PENDING:
                await uow.jobs.wake(Job.PROCESS_GATEWAY_EVENT, event.id)
            await uow.commit()
        return event
