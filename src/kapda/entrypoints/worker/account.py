"""Says how far the account's payments have been read at the gateway."""

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from kapda.domain.orders.use_cases.sweep_recent_payments import WINDOW, AccountSweep

# What is read for good is at least as old as the window; a look may fail, and be cut off, for half an hour more.
FAR_BEHIND: Final = 2 * WINDOW

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.payments")


class AccountReport:
    """A counter, a gauge that keeps what it said when looks fail, and a line while the reading lags far behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._found = Counter(
            "kapda_swept_payments", "Payments that only the sweep of the account found.", registry=registry
        )
        self._through = Gauge(
            "kapda_payments_read_through_timestamp_seconds",
            "Until when every payment on the account has been looked at for good, half an hour ago at best.",
            registry=registry,
        )

    def note(self, sweep: AccountSweep) -> None:
        """One look."""
        self._found.inc(sweep.found)
        self._through.set(sweep.read_through.timestamp())
        behind: timedelta = datetime.now(UTC) - sweep.read_through
        if behind >= FAR_BEHIND:
            _log.error("payments are read far behind", minutes=int(behind.total_seconds() // 60))
