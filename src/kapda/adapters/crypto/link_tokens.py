"""The tokens of mailed links, derived with HMAC-SHA256."""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final
from uuid import UUID

from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken
from kapda.domain.shared.ids import LinkId

MIN_KEY_BYTES: Final = 32
# 16 bytes of id and 32 of proof are 64 characters of base64, without padding.
TOKEN_LENGTH: Final = 64
_ID_BYTES: Final = 16


class HmacLinkTokens:
    """LinkTokens. A new key ends the links that were mailed under the old one; raises ValueError for a short key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the link key is shorter than {MIN_KEY_BYTES} bytes")
        self._key = key

    def token_for(self, link_id: LinkId, purpose: LinkPurpose) -> LinkToken:
        """See the port."""
        text = base64.urlsafe_b64encode(link_id.bytes + self._proof(link_id, purpose)).decode()
        return LinkToken(text, link_id, sha256(text.encode()).digest())

    def read(self, text: str, purpose: LinkPurpose) -> LinkToken | None:
        """See the port."""
        if len(text) != TOKEN_LENGTH:
            return None
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            return None
        link_id = LinkId(UUID(bytes=raw[:_ID_BYTES]))
        if not hmac.compare_digest(raw[_ID_BYTES:], self._proof(link_id, purpose)):
            return None
        return self.token_for(link_id, purpose)

    def _proof(self, link_id: LinkId, purpose: LinkPurpose) -> bytes:
        # The name in front keeps this key's other uses, should it get any, from ever making a link.
        return hmac.digest(self._key, b"kapda mailed link|" + purpose.value.encode() + b"|" + link_id.bytes, "sha256")
