"""Texts of API keys, from the system's source of randomness."""

from base64 import b32encode
from secrets import token_bytes, token_urlsafe

from kapda.domain.identity.api_key import ApiKeyText

PREFIX_BYTES = 5
SECRET_BYTES = 32


class RandomApiKeyTexts:
    """ApiKeyTexts."""

    def new(self) -> ApiKeyText:
        """See the port."""
        return ApiKeyText(b32encode(token_bytes(PREFIX_BYTES)).decode().lower(), token_urlsafe(SECRET_BYTES))
