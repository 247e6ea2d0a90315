"""Secrets of signing keys, each made from the server's own and the key's id."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from kapda.domain.identity.signing import SigningSecret
from kapda.domain.shared.ids import SigningKeyId

# Keeps what is made here apart from whatever else might be made of the same secret.
_PURPOSE = b"kapda signing key v1\0"


class DerivedSigningSecrets:
    """SigningSecrets. Replacing the server's secret ends every key: they are issued anew."""

    def __init__(self, server_secret: bytes) -> None:
        self._server_secret = server_secret

    def secret_of(self, key_id: SigningKeyId) -> SigningSecret:
        """See the port."""
        derived = hmac.new(self._server_secret, _PURPOSE + key_id.bytes, sha256).digest()
        return SigningSecret(urlsafe_b64encode(derived).decode().rstrip("="))
