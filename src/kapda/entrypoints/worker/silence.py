"""Says for how long payments have come without webhooks, and raises its voice once that is too long."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry, Gauge

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.webhooks")


class SilenceAlarm:
    """A gauge to alert on, and a line when the silence becomes too long and one when it ends."""

    def __init__(
        self, measure: Callable[[], Awaitable[timedelta]], registry: CollectorRegistry, limit: timedelta
    ) -> None:
        self._measure = measure
        self._silence = Gauge(
            "kapda_webhook_silence_seconds",
            "For how long payments have come in without any webhook; 0 when webhooks come, or no payments do.",
            registry=registry,
        )
        self._limit = limit
        self._raised = False

    async def look(self) -> None:
        """Measure, and say what there is to say."""
        silence = await self._measure()
        self._silence.set(silence.total_seconds())
        too_long = silence >= self._limit
        if too_long and not self._raised:
            _log.error("no webhooks while payments come in", minutes=int(silence.total_seconds() // 60))
        elif self._raised and not too_long:
            _log.info("webhooks come again")
        self._raised = too_long
