"""Delivers signed webhooks: at least once, with back-off, until a day has passed.

The faults of a real delivery (dropped, doubled, late, out of order) belong into `Courier.post`, the one door every
event passes before its first attempt.
"""

import asyncio
import hashlib
import hmac
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus

from kapda.emulator.clock import Clock
from kapda.emulator.postbox import BadAnswerError, Postbox
from kapda.emulator.settings import EmulatorSettings
from kapda.emulator.shapes import JsonObject


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: the receiver's status code, or why there was none."""

    at: float
    status_code: int | None
    error: str | None


@dataclass(slots=True)
class Delivery:
    """One event on its way. It keeps the secret of its birth: retries after a rotation are signed with the old one."""

    event_id: str
    event: str
    body: bytes
    secret: str
    created_at: float
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: list[Attempt] = field(default_factory=list)

    def as_json(self) -> JsonObject:
        """Returns what GET /emulator/deliveries shows; the body as text."""
        return {
            "event_id": self.event_id,
            "event": self.event,
            "status": self.status.value,
            "created_at": self.created_at,
            "body": self.body.decode(),
            "attempts": [{"at": a.at, "status_code": a.status_code, "error": a.error} for a in self.attempts],
        }


@dataclass(slots=True)
class WebhookTarget:
    """Where events go; changes at run time."""

    url: str | None
    secret: str
    enabled: bool


class Courier:
    """Sends events in the order they were made, none waiting for another's retries.

    Deliveries live in memory only. `close` drops what is still under way.
    """

    def __init__(self, settings: EmulatorSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.target = WebhookTarget(settings.webhook_url, settings.webhook_secret, settings.webhook_url is not None)
        self._deliveries: dict[str, Delivery] = {}
        self._finished: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(settings.webhook_concurrency)
        self._postbox = Postbox()

    @property
    def enabled(self) -> bool:
        """Tells whether events are made at all."""
        return self.target.enabled and self.target.url is not None

    @property
    def deliveries(self) -> list[Delivery]:
        """All deliveries still remembered, oldest first."""
        return list(self._deliveries.values())

    def post(self, *, event_id: str, event: str, body: bytes) -> None:
        """Takes an event and starts delivering it; needs a running event loop."""
        delivery = Delivery(event_id, event, body, self.target.secret, self._clock.now())
        self._deliveries[event_id] = delivery
        self._start(delivery)

    def replay(self, event_id: str) -> Delivery | None:
        """Sends a past event again with the same id and bytes; None when it is not remembered."""
        delivery = self._deliveries.get(event_id)
        if delivery is not None:
            self._start(delivery)
        return delivery

    async def close(self) -> None:
        """Cancels what is under way and closes the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._postbox.close()

    def _start(self, delivery: Delivery) -> None:
        delivery.status = DeliveryStatus.PENDING
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        delay, waited = self._settings.retry_base, 0.0
        while True:
            if not self.enabled:
                return self._finish(delivery, DeliveryStatus.STOPPED)
            async with self._slots:
                accepted = await self._attempt(delivery)
            if accepted:
                return self._finish(delivery, DeliveryStatus.DELIVERED)
            waited += delay
            if waited > self._settings.retry_window:
                return self._finish(delivery, DeliveryStatus.GIVEN_UP)
            await self._clock.sleep(delay * self._settings.retry_time_scale)
            delay *= 2

    async def _attempt(self, delivery: Delivery) -> bool:
        url = self.target.url
        if url is None:
            return False
        signature = hmac.new(delivery.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "Accept-Encoding": "gzip",
            "X-Razorpay-Signature": signature,
            "X-Razorpay-Event-Id": delivery.event_id,
            "Request-Id": delivery.event_id,
        }
        status_code, error = None, None
        try:
            async with asyncio.timeout(self._settings.webhook_timeout):
                status_code = await self._postbox.post(url, headers, delivery.body)
        except TimeoutError:
            error = "no answer in time"
        except (OSError, EOFError, BadAnswerError) as failure:
            error = type(failure).__name__
        delivery.attempts.append(Attempt(self._clock.now(), status_code, error))
        return status_code is not None and HTTPStatus.OK <= status_code < HTTPStatus.MULTIPLE_CHOICES

    def _finish(self, delivery: Delivery, status: DeliveryStatus) -> None:
        delivery.status = status
        self._finished.append(delivery.event_id)
        while len(self._finished) > self._settings.kept_deliveries:
            self._deliveries.pop(self._finished.popleft(), None)
