"""Turns what happened into webhook events: which entities they carry, and their bytes."""

import json
from collections.abc import Mapping

from kapda.emulator.clock import Clock
from kapda.emulator.courier import Courier
from kapda.emulator.fault_kinds import WebhooksOff
from kapda.emulator.faults import Faults, Occasion
from kapda.emulator.ids import Ids
from kapda.emulator.model import Order, Payment, Refund
from kapda.emulator.shapes import JsonObject, order_shape, payment_shape, refund_shape


class Announcer:
    """Makes events and hands them to the courier; with webhooks off none is made, so none can be replayed later."""

    def __init__(self, *, account_id: str, courier: Courier, faults: Faults, ids: Ids, clock: Clock) -> None:
        self._account_id = account_id
        self._courier = courier
        self._faults = faults
        self._ids = ids
        self._clock = clock

    def payment(self, event: str, payment: Payment) -> None:
        """Announces a payment's new state."""
        if self._courier.enabled:
            self._send(event, {"payment": payment_shape(payment, in_event=True)}, payment)

    def order_paid(self, payment: Payment, order: Order) -> None:
        """Announces a paid order, together with the payment that paid it."""
        if self._courier.enabled:
            entities = {"payment": payment_shape(payment, in_event=True), "order": order_shape(order)}
            self._send("order.paid", entities, payment)

    def refund(self, event: str, refund: Refund, payment: Payment) -> None:
        """Announces a refund's new state, together with its payment."""
        if self._courier.enabled:
            entities = {"refund": refund_shape(refund), "payment": payment_shape(payment, in_event=True)}
            self._send(event, entities, payment)

    def _send(self, event: str, entities: Mapping[str, JsonObject], payment: Payment) -> None:
        about = Occasion(event=event, order_id=payment.order_id, payment_id=payment.id)
        if self._faults.take(WebhooksOff, about) is not None:
            return
        self._courier.post(
            event_id=self._ids.event(),
            event=event,
            body=event_body(event, entities, self._account_id, self._clock.now()),
            about=about,
        )


def event_body(event: str, entities: Mapping[str, JsonObject], account_id: str, now: float) -> bytes:
    """Returns the bytes of an event: one line, no spaces, non-ASCII and slashes escaped as Razorpay's encoder does.

    The escapes matter: a receiver that checks the signature over re-encoded JSON, not the raw bytes, fails here too.
    """
    text = json.dumps(
        {
            "entity": "event",
            "account_id": account_id,
            "event": event,
            "contains": list(entities),
            "payload": {name: {"entity": entity} for name, entity in entities.items()},
            "created_at": int(now),
        },
        separators=(",", ":"),
    )
    return text.replace("/", "\\/").encode()
