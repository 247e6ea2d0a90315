"""The times and charges of a checkout.

Three times, each resting on the one before. A customer may start to pay within the pay window. A payment started in its
last second is captured by the gateway itself for the capture window after that. The hold outlives both, with slack for
clocks and messages, so that no automatic capture ever meets stock that has been given back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kapda.domain.shared.money import Money

PAY_WINDOW = timedelta(minutes=15)
# The shortest automatic capture the gateway offers.
CAPTURE_WINDOW = timedelta(minutes=12)
HOLD_SLACK = timedelta(minutes=3)
# How long one process may take to open the gateway's order before another may try: two calls with their timeouts.
GATEWAY_LEASE = timedelta(seconds=30)
# Late authorisations come up to three days after the payment; a week covers them and a weekend of outage.
WATCH_PERIOD = timedelta(days=7)
# How long to wait for the next look at a checkout that is over, by how often it has been looked at since the hold ran out.
_LATE_CHECKS = tuple(timedelta(minutes=m) for m in (10, 30, 60, 180, 360, 720))
OPEN_CHECK_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShippingPolicy:
    """A flat charge, dropped from `free_from` on; a charge of zero is free shipping for everybody."""

    charge: Money
    free_from: Money | None = None

    def charge_for(self, items_total: Money) -> Money:
        """What shipping adds to an order of that much."""
        if self.free_from is not None and self.free_from <= items_total:
            return Money.zero(items_total.currency)
        return self.charge


def next_check(created_at: datetime, hold_until: datetime, now: datetime, attempts: int) -> datetime | None:
    """When to ask the gateway about a checkout again: often while it can be paid, ever more rarely to the end of the
    watch period, then never (None)."""
    if now < hold_until:
        return min(now + OPEN_CHECK_INTERVAL, hold_until)
    later = now + _LATE_CHECKS[min(attempts, len(_LATE_CHECKS) - 1)]
    return later if later < created_at + WATCH_PERIOD else None
