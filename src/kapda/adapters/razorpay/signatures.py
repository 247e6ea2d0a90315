"""Razorpay's signatures: HMAC-SHA256 in lower-case hex, over bytes, under a list of live secrets.

The SDK's own check takes only text, raises TypeError for odd input and accepts an empty secret.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class HmacCheckoutSignatures:
    """CheckoutSignatures under the API key secrets: the one in use, and those replaced in the last day."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = _as_keys(secrets)

    def is_valid(self, gateway_order_id: str, gateway_payment_id: str, signature: str) -> bool:
        """Checks `order|payment`; take the order's id from our own record, never from the browser."""
        # The payment's id comes from a browser and may hold what UTF-8 cannot: such bytes fit no signature.
        message = f"{gateway_order_id}|{gateway_payment_id}".encode(errors="surrogatepass")
        return _fits(self._secrets, message, signature)


class HmacWebhookSignatures:
    """WebhookSignatures under the webhook secrets: events made before a rotation stay signed with the old one."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = _as_keys(secrets)

    def is_valid(self, body: bytes, signature: str) -> bool:
        """Checks the raw bytes as they came; JSON that was read and written again does not fit."""
        return _fits(self._secrets, body, signature)


def _as_keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    if isinstance(secrets, str) or not secrets or not all(secrets):
        raise ValueError("a list of secrets is needed, none of them empty")
    return tuple(secret.encode() for secret in secrets)


def _fits(secrets: tuple[bytes, ...], message: bytes, signature: str) -> bool:
    # The form is checked first: compare_digest raises for text beyond ASCII, and a wrong length needs no hashing.
    if not _SIGNATURE.fullmatch(signature):
        return False
    expected = [hmac.new(secret, message, hashlib.sha256).hexdigest() for secret in secrets]
    return any([hmac.compare_digest(one, signature) for one in expected])  # noqa: C419 - all are compared, always
