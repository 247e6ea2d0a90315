"""Page tokens: a list's cursor, sealed so that only the same question of the same caller opens it."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.pages import Cursor, PageRequest

_NONCE_BYTES = 12
_PAGE_FIELDS = ("page_size", "page_token")


class PageTokens:
    """Seals and opens page tokens with AES-GCM, bound to the request's type and filters and, for private lists, to the
    caller.

    A token is not a permission: the list asks for the caller's own rows whatever the token says.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are of 16, 24 or 32 bytes: the first seals, every one opens, so that keys can be replaced."""
        self._ciphers = tuple(AESGCM(key) for key in keys)
        if not self._ciphers:
            raise ValueError("page tokens need at least one key")

    def page_of(self, request: Message, page_size: int, page_token: str, owner: UUID | None = None) -> PageRequest:
        """The page that a list's request asks for. Raises InvalidArgumentError (PAGE_TOKEN_INVALID)."""
        if not page_token:
            return PageRequest(page_size)
        return PageRequest(page_size, self._open(page_token, _binding(request, owner)))

    def next_token(self, request: Message, cursor: Cursor | None, owner: UUID | None = None) -> str:
        """The token of the page after `cursor`; empty where there is none."""
        if cursor is None:
            return ""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, json.dumps(cursor).encode(), _binding(request, owner))
        return urlsafe_b64encode(nonce + sealed).decode()

    def _open(self, token: str, binding: bytes) -> Cursor:
        try:
            raw = urlsafe_b64decode(token.encode("ascii"))
        except ValueError:
            raw = b""
        for cipher in self._ciphers:
            try:
                return tuple(json.loads(cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], binding)))
            except (InvalidTag, ValueError):
                continue
        raise InvalidArgumentError.for_field("page_token", "is not one that this list gave", Reason.PAGE_TOKEN_INVALID)


def _binding(request: Message, owner: UUID | None) -> bytes:
    question = type(request)()
    question.CopyFrom(request)
    for field in _PAGE_FIELDS:
        question.ClearField(field)
    digest = sha256(request.DESCRIPTOR.full_name.encode() + b"\0")
    digest.update(owner.bytes if owner is not None else bytes(16))
    digest.update(question.SerializeToString(deterministic=True))
    return digest.digest()
