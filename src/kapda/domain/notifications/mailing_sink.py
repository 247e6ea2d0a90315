"""Events call for mails: whoever relays an event queues its mail on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.notifications.mail import RefundMail
from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.payments.refund import RefundKind
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent, EventSink, SequencedEvent
from kapda.domain.shared.ids import IdGenerator, MailId, RefundId, UserId
from kapda.domain.shared.mails import MailKind, MailRequest

_ORDER_MAILS = {"order.placed": MailKind.ORDER_PLACED, "order.cancelled": MailKind.ORDER_CANCELLED}
_REFUND_MAILS = {"refund.requested": MailKind.REFUND_REQUESTED, "refund.processed": MailKind.REFUND_PROCESSED}


@dataclass(frozen=True, slots=True)
class MailingSink:
    """An EventSink in front of another one.

    So a purchase pays nothing for its mail. An event that comes again finds its mail queued already: there is one a kind
    and subject. The mail comes first, so that events which nobody takes in hold no mail up.
    """

    sink: EventSink
    unit_of_work: Callable[[], NotificationUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def publish(self, events: Sequence[SequencedEvent]) -> None:
        """See the port."""
        facts = [one.event for one in events]
        about_orders = [self._about_order(fact) for fact in facts if fact.type in _ORDER_MAILS]
        about_refunds = [self._about_refund(fact) for fact in facts if fact.type in _REFUND_MAILS and not _told(fact)]
        if about_orders or about_refunds:
            async with self.unit_of_work() as uow:
                await uow.mails.queue(*about_orders)
                await uow.mails.queue_to_payers(*about_refunds)
                await uow.commit()
        await self.sink.publish(events)

    def _about_order(self, fact: DomainEvent) -> MailRequest:
        customer_id = UserId(UUID(str(fact.payload["customer_id"])))
        kind = _ORDER_MAILS[fact.type]
        return MailRequest.to_user(self.ids.new(), kind, customer_id, self.clock.now(), fact.aggregate_id)

    def _about_refund(self, fact: DomainEvent) -> RefundMail:
        refund_id = RefundId(fact.aggregate_id)
        return RefundMail(MailId(self.ids.new()), _REFUND_MAILS[fact.type], refund_id, self.clock.now())


def _told(fact: DomainEvent) -> bool:
    """A cancellation's own mail says that the money goes back."""
    return fact.type == "refund.requested" and fact.payload.get("kind") == RefundKind.ORDER_CANCELLED.value
