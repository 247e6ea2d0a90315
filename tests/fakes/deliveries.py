"""Webhook deliveries as the gateway would send them."""

import json

from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from tests.fakes.shop import ACCOUNT
from tests.fakes.signatures import webhook_signature


def event_body(event: str, payment: GatewayPayment, account: str = ACCOUNT) -> bytes:
    """One JSON object on one line."""
    entity = {
        "id": payment.id,
        "entity": "payment",
        "amount": payment.amount.amount_minor,
        "currency": payment.amount.currency,
        "status": payment.state.value,
        "order_id": payment.order_id,
        "captured": payment.captured,
        "method": payment.method,
        "notes": [],
        "created_at": int(payment.created_at.timestamp()),
    }
    document = {
        "entity": "event",
        "account_id": account,
        "event": event,
        "contains": ["payment"],
        "payload": {"payment": {"entity": entity}},
        "created_at": int(payment.created_at.timestamp()),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def delivery(body: bytes, event_id: str = "evt00000000001") -> ReceiveGatewayEventCommand:
    """The body, signed."""
    headers = {"x-razorpay-signature": webhook_signature(body), "x-razorpay-event-id": event_id}
    return ReceiveGatewayEventCommand(headers, body)
