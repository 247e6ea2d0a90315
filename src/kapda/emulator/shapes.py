"""The entities as JSON objects, member for member as Razorpay writes them."""

from collections.abc import Iterable, Mapping

from kapda.emulator.model import Order, Payment, Refund

JsonObject = dict[str, object]


def _notes(notes: Mapping[str, object]) -> object:
    # An empty object leaves Razorpay as a list; integrations that expect an object break here, so they should meet it.
    return dict(notes) if notes else []


def order_shape(order: Order) -> JsonObject:
    """Returns the order entity."""
    return {
        "id": order.id,
        "entity": "order",
        "amount": order.amount,
        "amount_paid": order.amount_paid,
        "amount_due": max(0, order.amount - order.amount_paid),
        "currency": order.currency,
        "receipt": order.receipt,
        "offer_id": None,
        "status": order.status.value,
        "attempts": order.attempts,
        "notes": _notes(order.notes),
        "created_at": order.created_at,
    }


def _refund_status(payment: Payment) -> str | None:
    if payment.amount_refunded == 0:
        return None
    return "full" if payment.amount_refunded == payment.amount else "partial"


def payment_shape(payment: Payment, *, expand_card: bool = False, in_event: bool = False) -> JsonObject:
    """Returns the payment entity; events carry the card and two more amounts."""
    how, failure = payment.instrument, payment.failure
    shape: JsonObject = {
        "id": payment.id,
        "entity": "payment",
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status.value,
        "order_id": payment.order_id,
        "invoice_id": None,
        "international": False,
        "method": how.method,
        "amount_refunded": payment.amount_refunded,
        "refund_status": _refund_status(payment),
        "captured": payment.captured,
        "description": None,
        "card_id": how.card["id"] if how.card else None,
        "bank": how.bank,
        "wallet": None,
        "vpa": how.vpa,
        "email": how.email,
        "contact": how.contact,
        "notes": [],
        "fee": payment.fee,
        "tax": payment.tax,
        "error_code": failure.code if failure else None,
        "error_description": failure.description if failure else None,
        "error_source": failure.source if failure else None,
        "error_step": failure.step if failure else None,
        "error_reason": failure.reason if failure else None,
        "acquirer_data": dict(how.acquirer_data),
        "created_at": payment.created_at,
    }
    if how.vpa is not None:
        shape["upi"] = {"payer_account_type": "bank_account", "vpa": how.vpa, "flow": "collect"}
    if how.card is not None and (expand_card or in_event):
        shape["card"] = dict(how.card)
    if in_event:
        shape["base_amount"] = payment.amount
        shape["amount_transferred"] = 0
    return shape


def refund_shape(refund: Refund) -> JsonObject:
    """Returns the refund entity; `speed_requested` is there only when a speed was asked for."""
    shape: JsonObject = {
        "id": refund.id,
        "entity": "refund",
        "amount": refund.amount,
        "currency": refund.currency,
        "payment_id": refund.payment_id,
        "notes": _notes(refund.notes),
        "receipt": refund.receipt,
        "acquirer_data": dict(refund.acquirer_data),
        "created_at": refund.created_at,
        "batch_id": None,
        "status": refund.status.value,
        "speed_processed": refund.speed_processed,
    }
    if refund.speed_requested is not None:
        shape["speed_requested"] = refund.speed_requested
    return shape


def collection_shape(items: Iterable[JsonObject]) -> JsonObject:
    """Returns a page; `count` is the number on this page, not the total."""
    page = list(items)
    return {"entity": "collection", "count": len(page), "items": page}
