"""Razorpay's JSON as far as kapda reads it. Members may be added at any time, so others are ignored; types are strict.

`notes` is never read: it comes as an object, a list or null, and the receipt names our checkout already.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, TypeVar

import msgspec

from kapda.adapters.razorpay.errors import ApiError, NoAnswerError
from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayPayment,
    GatewayPaymentState,
    GatewayRefund,
    GatewayRefundState,
)
from kapda.domain.shared.money import MAX_AMOUNT_MINOR, Money

_BAD_REQUEST = "BAD_REQUEST_ERROR"
_NOT_APPLICABLE = "NA"
# A year 9999 that every platform's datetime takes.
_LAST_SECOND = 253_402_300_799

_Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT_MINOR)]
_Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Second = Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]


class OrderAnswer(msgspec.Struct, frozen=True):
    """An order entity."""

    id: _Id
    amount: _Amount
    currency: _Currency
    created_at: _Second = 0
    receipt: str | None = None

    def to_domain(self) -> GatewayOrder:
        """Returns it in kapda's words."""
        return GatewayOrder(id=self.id, receipt=self.receipt, amount=Money(self.amount, self.currency))


class PaymentAnswer(msgspec.Struct, frozen=True):
    """A payment entity."""

    id: _Id
    amount: _Amount
    currency: _Currency
    status: GatewayPaymentState
    captured: bool
    created_at: _Second
    method: str
    order_id: _Id | None = None
    amount_refunded: _Amount | None = None

    def to_domain(self) -> GatewayPayment:
        """Returns it in kapda's words."""
        return GatewayPayment(
            id=self.id,
            order_id=self.order_id,
            state=self.status,
            amount=Money(self.amount, self.currency),
            captured=self.captured,
            amount_refunded=Money(self.amount_refunded or 0, self.currency),
            method=self.method,
            created_at=datetime.fromtimestamp(self.created_at, UTC),
        )


class RefundAnswer(msgspec.Struct, frozen=True):
    """A refund entity."""

    id: _Id
    payment_id: _Id
    amount: _Amount
    currency: _Currency
    status: GatewayRefundState
    created_at: _Second
    receipt: str | None = None

    def to_domain(self) -> GatewayRefund:
        """Returns it in kapda's words."""
        return GatewayRefund(
            id=self.id,
            payment_id=self.payment_id,
            amount=Money(self.amount, self.currency),
            state=self.status,
            receipt=self.receipt,
            created_at=datetime.fromtimestamp(self.created_at, UTC),
        )


class RefundList(msgspec.Struct, frozen=True):
    """A collection of refunds."""

    items: list[RefundAnswer]


class OrderList(msgspec.Struct, frozen=True):
    """A collection of orders."""

    items: list[OrderAnswer]


class PaymentList(msgspec.Struct, frozen=True):
    """A collection of payments."""

    items: list[PaymentAnswer]


class _Metadata(msgspec.Struct, frozen=True):
    order_id: str | None = None


class _Error(msgspec.Struct, frozen=True):
    code: str
    description: str
    reason: str | None = None
    field: str | None = None
    metadata: _Metadata | list[object] | None = None


class _Envelope(msgspec.Struct, frozen=True):
    error: _Error


T = TypeVar("T")


def read_answer(content: object, shape: type[T]) -> T:
    """Checks an answer's JSON against its shape.

    Raises:
        NoAnswerError: it does not fit; the call may have acted all the same.
    """
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        raise NoAnswerError(f"an answer of another shape than {shape.__name__}: {error}") from error


def refusal(status: int, body: bytes) -> Exception:
    """Returns what a status outside 2xx means: ApiError for a definite no, NoAnswerError for anything less clear.

    Clear is only a 4xx with Razorpay's envelope and the code of a bad request. A 429 did nothing, but says nothing
    about an earlier try; another code means that something behind Razorpay failed; HTML comes from a proxy between.
    """
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return NoAnswerError(f"HTTP {status}")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT):
        return NoAnswerError(f"HTTP {status}")
    try:
        error = msgspec.json.decode(body, type=_Envelope).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NoAnswerError(f"HTTP {status} without Razorpay's error envelope")
    if error.code != _BAD_REQUEST:
        return NoAnswerError(f"HTTP {status} {error.code}")
    metadata = error.metadata if isinstance(error.metadata, _Metadata) else _Metadata()
    return ApiError(
        status,
        error.code,
        error.description,
        reason=_given(error.reason),
        field=_given(error.field),
        order_id=_given(metadata.order_id),
    )


def _given(member: str | None) -> str | None:
    return None if member in (None, "", _NOT_APPLICABLE) else member
