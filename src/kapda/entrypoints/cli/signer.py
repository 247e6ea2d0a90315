"""The signing side of signed requests, as docs/signed-requests.md has it."""

import json
import secrets
import time
from dataclasses import dataclass, field
from uuid import UUID

from google.protobuf import json_format, message_factory
from google.protobuf.message import Message

from kapda.domain.identity.signing import SignedCall, SigningSecret
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.grpc.interceptors.signatures import (
    NONCE_METADATA,
    SIGNATURE_METADATA,
    SIGNING_METADATA,
    TIMESTAMP_METADATA,
)
from kapda.entrypoints.grpc.services import SERVICES

_NONCE_BYTES = 16


class SigningError(Exception):
    """What was given cannot be signed; the text says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody's signing key."""

    key_id: UUID
    principal_id: UserId
    secret: SigningSecret = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """From `<key id>:<user id>:<secret>`. Raises SigningError."""
        try:
            key_id, principal_id, secret = text.split(":")
            return cls(UUID(key_id), UserId(UUID(principal_id)), SigningSecret(secret))
        except ValueError:
            raise SigningError("what to sign with must be <key id>:<user id>:<secret>") from None

    def headers(self, method: str, body: bytes) -> tuple[tuple[str, str], ...]:
        """The metadata of one sending, now, under a nonce of its own. `method` is `/package.Service/Method`."""
        timestamp, nonce = str(int(time.time())), secrets.token_urlsafe(_NONCE_BYTES)
        call = SignedCall(method, body, timestamp, nonce, self.principal_id)
        return (
            (SIGNING_METADATA, str(self.key_id)),
            (TIMESTAMP_METADATA, timestamp),
            (NONCE_METADATA, nonce),
            (SIGNATURE_METADATA, self.secret.sign(call.canonical())),
        )


def encoded(method: str, body: str) -> bytes:
    """The bytes that a client of `package.Service/Method` sends for the JSON: fields in the order of their numbers, none
    that is as if not set. Raises SigningError."""
    request = _request_of(method)
    try:
        fields = json.loads(body)
        json_format.ParseDict(fields if isinstance(fields, dict) else {"": fields}, request)
    except (ValueError, json_format.ParseError) as error:
        raise SigningError(f"no {request.DESCRIPTOR.name}: {error}") from None
    return request.SerializeToString(deterministic=True)


def _request_of(method: str) -> Message:
    for service in SERVICES:
        for found in service.descriptor.methods:
            if f"{service.descriptor.full_name}/{found.name}" == method:
                return message_factory.GetMessageClass(found.input_type)()
    raise SigningError(f"no method {method}")
