"""Signatures that tests can make: as hard to guess as they need to be, and bound to the same things as the real ones."""

from hashlib import sha256


def checkout_signature(gateway_order_id: str, gateway_payment_id: str) -> str:
    """What the gateway's page would hand to the browser."""
    return sha256(f"checkout {gateway_order_id}|{gateway_payment_id}".encode()).hexdigest()


def webhook_signature(body: bytes) -> str:
    """What the gateway would send beside the body."""
    return sha256(b"webhook " + body).hexdigest()


class FakeCheckoutSignatures:
    """CheckoutSignatures."""

    def is_valid(self, gateway_order_id: str, gateway_payment_id: str, signature: str) -> bool:
        return signature == checkout_signature(gateway_order_id, gateway_payment_id)


class FakeWebhookSignatures:
    """WebhookSignatures."""

    def is_valid(self, body: bytes, signature: str) -> bool:
        return signature == webhook_signature(body)
