"""One webhook on its way, and where webhooks go."""

from dataclasses import dataclass, field
from enum import StrEnum

from kapda.emulator.faults import Occasion
from kapda.emulator.shapes import JsonObject


class DeliveryStatus(StrEnum):
    """How far a delivery is. A dropped one was never tried; a stopped one met webhooks that were switched off."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    STOPPED = "stopped"
    DROPPED = "dropped"


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
    about: Occasion
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
    # The secret before the last rotation; None until there was one.
    old_secret: str | None = None

    def rotate(self, secret: str) -> None:
        """Takes a new secret for the events to come."""
        if secret != self.secret:
            self.old_secret, self.secret = self.secret or None, secret
