"""A webhook delivery, kept before it is answered and worked on afterwards.

The signature covers the body alone: the event id beside it is unsigned, so the same fact may come back under another
id. `entity_key` is the fact itself (event, entity, its state), and both are unique.

An event waits (PENDING) until its payment has been looked up at the gateway, then it is PROCESSED; events about
something else are stored as IGNORED. What an event says is only a reason to look: no money moves on its word.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique
from uuid import UUID

# The first retry comes soon, the last ones hourly; the work never runs out of attempts.
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(hours=1)
# Events whose payment must be looked up.
PAYMENT_EVENTS = frozenset({"payment.authorized", "payment.captured", "order.paid"})
# Events whose refund must be looked up.
REFUND_EVENTS = frozenset({"refund.created", "refund.processed", "refund.failed", "refund.speed_changed"})


@unique
class GatewayEventState(Enum):
    """See the module's text."""

    PENDING = "pending"
    PROCESSED = "processed"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A verified delivery, about to be stored."""

    event_id: str
    entity_key: str
    event_type: str
    gateway_payment_id: str | None
    gateway_order_id: str | None
    gateway_refund_id: str | None
    body: bytes

    @property
    def initial_state(self) -> GatewayEventState:
        """Whether there is anything to do about it."""
        concerns_payment = self.event_type in PAYMENT_EVENTS and self.gateway_payment_id is not None
        concerns_refund = self.event_type in REFUND_EVENTS and self.gateway_refund_id is not None
        return GatewayEventState.PENDING if concerns_payment or concerns_refund else GatewayEventState.IGNORED


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A stored delivery."""

    id: UUID
    event_type: str
    gateway_payment_id: str | None
    gateway_refund_id: str | None
    state: GatewayEventState
    attempts: int
    received_at: datetime


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the `attempts`-th failure, the first being 1: doubling from two seconds to an hour."""
    # The shift is capped before the multiplication, which would overflow after some days of an outage.
    return min(_FIRST_RETRY * (1 << min(attempts - 1, 16)), _LONGEST_RETRY)
