"""Secrets of signing keys, each made from the server's own and the key's id."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from kapda.domain.identity.signing import SigningSecret
from kapda.domain.shared.ids import SigningKeyId

# Keeps what is made here apart from whatever else might be made of the same secret.
_PURPOSE = b"kapda signing key v1\0"


class DerivedSigningSecrets:
    """SigningSecrets, made from the server's secret. Keys of before a change of it go on as long as the old one is given
    beside the new; without it they are issued anew."""

    def __init__(self, server_secret: bytes, old: Sequence[bytes] = ()) -> None:
        self._server_secret = server_secret
        self._accepted = (server_secret, *old)

    def secret_of(self, key_id: SigningKeyId) -> SigningSecret:
        """See the port."""
        return _made(self._server_secret, key_id)

    def accepted(self, key_id: SigningKeyId) -> Sequence[SigningSecret]:
        """See the port."""
        return [_made(server_secret, key_id) for server_secret in self._accepted]


def _made(server_secret: bytes, key_id: SigningKeyId) -> SigningSecret:
    derived = hmac.new(server_secret, _PURPOSE + key_id.bytes, sha256).digest()
    return SigningSecret(urlsafe_b64encode(derived).decode().rstrip("="))
