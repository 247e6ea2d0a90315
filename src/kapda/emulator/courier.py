"""Delivers signed webhooks: at least once, with back-off, until a day has passed."""

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from kapda.emulator.delivery import Attempt, Delivery, DeliveryStatus, WebhookTarget
from kapda.emulator.fault_kinds import (
    DeliveryFault,
    WebhookDelay,
    WebhookDrop,
    WebhookDuplicate,
    WebhookOldSecret,
    WebhookReorder,
    WebhooksOff,
)
from kapda.emulator.faults import Faults, Occasion
from kapda.emulator.postbox import BadAnswerError, Postbox
from kapda.emulator.settings import EmulatorSettings
from kapda.emulator.timeline import Timeline


@dataclass(slots=True, eq=False)
class _Held:
    """An event that lets others pass."""

    delivery: Delivery
    behind: int


class Courier:
    """Sends events in the order they were made, none waiting for another's retries.

    Deliveries live in memory only. `close` drops what is still under way.
    """

    def __init__(self, settings: EmulatorSettings, timeline: Timeline, faults: Faults) -> None:
        self._settings = settings
        self._timeline = timeline
        self._faults = faults
        self.target = WebhookTarget(settings.webhook_url, settings.webhook_secret, settings.webhook_url is not None)
        self._deliveries: dict[str, Delivery] = {}
        self._finished: deque[str] = deque()
        self._held: list[_Held] = []
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

    def post(self, *, event_id: str, event: str, body: bytes, about: Occasion) -> None:
        """Takes an event and starts delivering it, or lets a fault happen to it; needs a running event loop."""
        delivery = Delivery(event_id, event, body, self.target.secret, self._timeline.now(), about)
        self._deliveries[event_id] = delivery
        overtaken = self._held
        match self._faults.take(DeliveryFault, about):
            case WebhookDrop():
                self._finish(delivery, DeliveryStatus.DROPPED)
                return
            case WebhookDelay(seconds=seconds):
                self._timeline.after(seconds, partial(self._start, delivery))
                return
            case WebhookReorder(behind=behind, at_most_seconds=seconds):
                held = _Held(delivery, behind)
                self._held = [*self._held, held]
                self._timeline.after(seconds, partial(self._release, held))
                return
            case WebhookDuplicate(copies=copies, after_seconds=seconds):
                for _ in range(copies):
                    self._timeline.after(seconds, partial(self._copy, delivery))
            case WebhookOldSecret():
                delivery.secret = self.target.old_secret or delivery.secret
        self._start(delivery, overtaken)

    def replay(self, event_id: str) -> Delivery | None:
        """Sends a past event again with the same id and bytes; None when it is not remembered."""
        delivery = self._deliveries.get(event_id)
        if delivery is not None:
            self._start(delivery)
        return delivery

    async def quiet(self) -> None:
        """Waits until no attempt is under way; waiting for the next one is not under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancels what is under way and closes the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._postbox.close()

    def _start(self, delivery: Delivery, overtaken: list[_Held] | None = None) -> None:
        delivery.status = DeliveryStatus.PENDING
        self._run(self._deliver(delivery, self._settings.retry_base, 0.0, overtaken))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(
        self, delivery: Delivery, delay: float, waited: float, overtaken: list[_Held] | None = None
    ) -> None:
        """Makes one attempt; a failed one plans the next."""
        if not self.enabled or self._faults.take(WebhooksOff, delivery.about) is not None:
            return self._finish(delivery, DeliveryStatus.STOPPED)
        async with self._slots:
            accepted = await self._attempt(delivery)
        for held in overtaken or ():
            held.behind -= 1
            if held.behind == 0:
                self._release(held)
        if accepted:
            return self._finish(delivery, DeliveryStatus.DELIVERED)
        waited += delay
        if waited > self._settings.retry_window:
            return self._finish(delivery, DeliveryStatus.GIVEN_UP)
        self._timeline.after(delay, lambda: self._run(self._deliver(delivery, delay * 2, waited)))
        return None

    def _release(self, held: _Held) -> None:
        if held in self._held:
            self._held = [other for other in self._held if other is not held]
            self._start(held.delivery)

    def _copy(self, delivery: Delivery) -> None:
        async def send() -> None:
            async with self._slots:
                await self._attempt(delivery)

        self._run(send())

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
        delivery.attempts.append(Attempt(self._timeline.now(), status_code, error))
        return status_code is not None and HTTPStatus.OK <= status_code < HTTPStatus.MULTIPLE_CHOICES

    def _finish(self, delivery: Delivery, status: DeliveryStatus) -> None:
        delivery.status = status
        self._finished.append(delivery.event_id)
        while len(self._finished) > self._settings.kept_deliveries:
            self._deliveries.pop(self._finished.popleft(), None)
