"""Reads a verified webhook body: what happened, to which entity, in which state."""

import json
from hashlib import sha256

from kapda.domain.payments.gateway_event import ReceivedEvent
from kapda.domain.shared.errors import InvalidArgumentError

# The entity an event is about, most telling first: an order.paid event carries the payment too, and a refund its payment.
_SUBJECTS = ("refund", "dispute", "payment", "order", "payment.downtime")
MAX_EVENT_NAME = 100
MAX_ID = 100


def read_event(event_id: str, body: bytes, account_id: str) -> ReceivedEvent:
    """The event in the body. Raises InvalidArgumentError for a body that is none, or not our account's.

    Only `event` and `payload` are relied upon; older deliveries lack the rest. A body without an event id of its own is
    known by the digest of its bytes.
    """
    try:
        # Strict where Python's reader is kind: JSON is UTF-8, and knows neither NaN nor Infinity.
        document = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError.for_field("body", "is not JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("payload"), dict):
        raise InvalidArgumentError.for_field("body", "is not an event")
    name = document.get("event")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_EVENT_NAME or not _is_plain(name):
        raise InvalidArgumentError.for_field("event", "is missing")
    if document.get("account_id", account_id) != account_id:
        raise InvalidArgumentError.for_field("account_id", "is another account's")
    digest = sha256(body).hexdigest()
    entities = {key: _entity(value) for key, value in document["payload"].items()}
    return ReceivedEvent(
        event_id=event_id[:MAX_ID] or f"sha256:{digest}",
        entity_key=_entity_key(name, entities) or f"{name}:sha256:{digest}",
        event_type=name,
        gateway_payment_id=_text(entities.get("payment", {}), "id"),
        gateway_order_id=_text(entities.get("order", {}), "id") or _text(entities.get("payment", {}), "order_id"),
        gateway_refund_id=_text(entities.get("refund", {}), "id"),
        body=body,
    )


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")


def _entity(value: object) -> dict[str, object]:
    entity = value.get("entity") if isinstance(value, dict) else None
    return entity if isinstance(entity, dict) else {}


def _text(entity: dict[str, object], name: str) -> str | None:
    value = entity.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and _is_plain(value) else None


def _is_plain(text: str) -> bool:
    """Whether it can be stored: JSON may write U+0000 and half a surrogate pair. Razorpay's names and ids are ASCII."""
    return text.isascii() and text.isprintable()


def _entity_key(name: str, entities: dict[str, dict[str, object]]) -> str | None:
    for subject in _SUBJECTS:
        entity = entities.get(subject, {})
        identifier, status = _text(entity, "id"), _text(entity, "status")
        if identifier is not None and status is not None:
            return f"{name}:{identifier}:{status}"
    return None
