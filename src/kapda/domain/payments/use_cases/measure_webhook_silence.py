"""Measures for how long payments have come in without a word from the gateway's webhooks."""

from dataclasses import dataclass
from datetime import timedelta

from kapda.domain.payments.ports import UnannouncedPayments
from kapda.domain.shared.clock import Clock

# A silence of a day has been told of for a day; looking further back would cost more than it tells.
LONGEST_SILENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MeasureWebhookSilence:
    """Quiet nights are no silence: it begins with a payment that only browser or poller told of."""

    payments: UnannouncedPayments
    clock: Clock

    async def execute(self) -> timedelta:
        """How long it has lasted; nothing when webhooks come, LONGEST_SILENCE at most."""
        now = self.clock.now()
        since = await self.payments.waiting_since(now - LONGEST_SILENCE)
        # A clock that was set back makes no silence of the future.
        return max(timedelta(0), now - since) if since is not None else timedelta(0)
