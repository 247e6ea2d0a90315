"""Digests of addresses, so that counters and logs of attempts hold none."""

import hmac
from hashlib import sha256


class HmacIdentifierDigests:
    """IdentifierDigests by HMAC-SHA256: without the key nobody can try addresses against them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, identifier: str) -> str:
        """The digest in hexadecimal, without regard to case."""
        return hmac.digest(self._key, identifier.strip().lower().encode(), sha256).hex()
