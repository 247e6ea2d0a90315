"""Events call for mails: whoever relays an event queues its mail on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.payments.refund import RefundKind
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import DomainEvent, EventSink, SequencedEvent
from kapda.domain.shared.ids import IdGenerator, RefundId, UserId
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
        facts = [one.event for one in events if one.event.type in _ORDER_MAILS or one.event.type in _REFUND_MAILS]
        if facts:
            async with self.unit_of_work() as uow:
                mails = [await self._mail(uow, fact) for fact in facts]
                await uow.mails.queue(*(mail for mail in mails if mail is not None))
                await uow.commit()
        await self.sink.publish(events)

    async def _mail(self, uow: NotificationUnitOfWork, fact: DomainEvent) -> MailRequest | None:
        if (kind := _ORDER_MAILS.get(fact.type)) is not None:
            customer_id = UserId(UUID(str(fact.payload["customer_id"])))
            return self._to(customer_id, kind, fact.aggregate_id)
        return await self._refund_mail(uow, fact, _REFUND_MAILS[fact.type])

    async def _refund_mail(self, uow: NotificationUnitOfWork, fact: DomainEvent, kind: MailKind) -> MailRequest | None:
        refund = await uow.refunds.get(RefundId(fact.aggregate_id))
        # A cancellation's own mail says that the money goes back.
        if refund is None or (kind is MailKind.REFUND_REQUESTED and refund.kind is RefundKind.ORDER_CANCELLED):
            return None
        payment = await uow.payments.get(refund.payment_id, None)
        checkout = await uow.checkouts.get(payment.checkout_id, None) if payment is not None else None
        return None if checkout is None else self._to(checkout.customer_id, kind, refund.id)

    def _to(self, user_id: UserId, kind: MailKind, subject_id: UUID) -> MailRequest:
        return MailRequest.to_user(self.ids.new(), kind, user_id, self.clock.now(), subject_id)
