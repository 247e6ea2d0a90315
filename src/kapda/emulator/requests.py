"""What callers may send, checked in Razorpay's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kapda.emulator.errors import ApiError, not_applicable
from kapda.emulator.model import CAPTURE_LIMIT_SECONDS, CapturePolicy

MINIMUM_AMOUNT = 100
_MINIMUM_WINDOW_MINUTES = 12
_MAXIMUM_WINDOW_MINUTES = 7200
_RECEIPT_LENGTH = 40
_NOTES_COUNT = 15
_NOTE_LENGTH = 256
_ORDER_FIELDS = frozenset(
    {"amount", "currency", "receipt", "notes", "payment", "payment_capture", "partial_payment", "unique_receipt"}
)
_REFUND_FIELDS = frozenset({"amount", "speed", "notes", "receipt"})
_SPEEDS = ("normal", "optimum")
KEY_HEADER = "x-refund-idempotency"
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{10,}")

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A good body of POST /orders; `capture` is None when the account's own setting counts."""

    amount: int
    currency: str
    receipt: str | None
    notes: Mapping[str, object]
    capture: CapturePolicy | None
    unique_receipt: bool


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A good body of POST /payments/{id}/refund; without an amount all that is left goes back."""

    amount: int | None
    speed: str | None
    notes: Mapping[str, object]
    receipt: str | None


def parse_order(body: Body) -> OrderRequest:
    """Checks a body of POST /orders."""
    _refuse_others(body, _ORDER_FIELDS)
    if body.get("partial_payment") not in (None, False, 0):
        raise _extra("partial_payment")
    return OrderRequest(
        amount=parse_amount(body),
        currency=parse_currency(body),
        receipt=_receipt(body),
        notes=parse_notes(body),
        capture=_capture(body),
        unique_receipt=bool(body.get("unique_receipt", False)),
    )


def parse_refund(body: Body) -> RefundRequest:
    """Checks a body of POST /payments/{id}/refund."""
    _refuse_others(body, _REFUND_FIELDS)
    speed = body.get("speed")
    if speed is not None and speed not in _SPEEDS:
        raise ApiError("The speed is invalid.", field="speed")
    return RefundRequest(
        amount=parse_amount(body) if body.get("amount") is not None else None,
        speed=None if speed is None else str(speed),
        notes=parse_notes(body),
        receipt=_receipt(body),
    )


def parse_amount(body: Body) -> int:
    """Reads `amount`: an integer of at least 100 paise."""
    amount = body.get("amount")
    if amount is None:
        raise ApiError("amount: is required.", field="amount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise ApiError("The amount must be an integer.", field="amount")
    if amount < MINIMUM_AMOUNT:
        raise ApiError("The amount must be at least INR 1.00", field="amount")
    return amount


def parse_currency(body: Body) -> str:
    """Reads `currency`: the account takes INR only."""
    currency = body.get("currency")
    if currency is None:
        raise ApiError("currency: is required.", field="currency")
    if currency != "INR":
        raise ApiError("Currency is not supported", field="currency", reason="invalid_currency")
    return "INR"


def parse_notes(body: Body) -> Mapping[str, object]:
    """Reads `notes`: at most 15 pairs of at most 256 characters."""
    notes = body.get("notes")
    if notes is None or notes == []:
        return {}
    if not isinstance(notes, dict):
        raise ApiError("The notes must be an array.", field="notes")
    if len(notes) > _NOTES_COUNT:
        raise ApiError("Number of fields in notes should be less than or equal to 15", field="notes")
    for value in notes.values():
        if not isinstance(value, str | int | float):
            raise ApiError("The notes values must be scalars.", field="notes")
        if len(str(value)) > _NOTE_LENGTH:
            raise ApiError("Notes value cannot be greater than 256 characters", field="notes")
    return notes


def parse_idempotency_key(key: str | None) -> str | None:
    """Reads the X-Refund-Idempotency header: at least 10 characters of letters, digits, `_` and `-`."""
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise not_applicable("The idempotency key provided is invalid.")
    return key


def _receipt(body: Body) -> str | None:
    receipt = body.get("receipt")
    if receipt is None:
        return None
    if not isinstance(receipt, str):
        raise ApiError("The receipt must be a string.", field="receipt")
    if len(receipt) > _RECEIPT_LENGTH:
        raise ApiError(f"The receipt may not be greater than {_RECEIPT_LENGTH} characters.", field="receipt")
    return receipt


def _capture(body: Body) -> CapturePolicy | None:
    payment = body.get("payment")
    if payment is None:
        older = body.get("payment_capture")
        return None if older is None else CapturePolicy(bool(older), CAPTURE_LIMIT_SECONDS)
    if not isinstance(payment, dict) or payment.get("capture") not in ("automatic", "manual"):
        raise ApiError("The capture must be automatic or manual.", field="capture")
    options = payment.get("capture_options") or {}
    if not isinstance(options, dict):
        raise ApiError("The capture options must be an object.", field="capture_options")
    automatic = payment["capture"] == "automatic"
    least = _MINIMUM_WINDOW_MINUTES
    window = _minutes(options, "automatic_expiry_period", least, required=automatic)
    manual = _minutes(options, "manual_expiry_period", window or least, required=False)
    if options.get("refund_speed", "normal") not in _SPEEDS:
        raise ApiError("The refund speed is invalid.", field="refund_speed")
    limit = CAPTURE_LIMIT_SECONDS if manual is None else min(manual * 60, CAPTURE_LIMIT_SECONDS)
    return CapturePolicy(automatic, (window or 0) * 60, limit)


def _minutes(options: Body, name: str, least: int, *, required: bool) -> int | None:
    value = options.get(name)
    if value is None:
        if required:
            raise ApiError(f"{name}: is required.", field=name)
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MAXIMUM_WINDOW_MINUTES:
        raise ApiError(f"The {name} must be between {least} and {_MAXIMUM_WINDOW_MINUTES}.", field=name)
    return value


def _refuse_others(body: Body, known: frozenset[str]) -> None:
    for name in body:
        if name not in known:
            raise _extra(name)


def _extra(name: str) -> ApiError:
    return ApiError(f"{name} is/are not required and should not be sent", field=name, reason="extra_field_sent")
