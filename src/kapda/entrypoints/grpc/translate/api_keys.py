"""API keys and signing keys."""

from collections.abc import Iterable

from kapda.api.common.v1 import api_scope_pb2
from kapda.api.identity.v1 import api_key_pb2
from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.signing import SigningKey
from kapda.entrypoints.grpc.translate.values import timestamp

SCOPES = {api_scope_pb2.ApiScope.Value(f"API_SCOPE_{scope.name}"): scope for scope in Scope}
_NUMBERS = {scope: number for number, scope in SCOPES.items()}


def scopes_from_proto(numbers: Iterable[api_scope_pb2.ApiScope.ValueType]) -> frozenset[Scope]:
    """Scopes that the message's rules have let through."""
    return frozenset(SCOPES[number] for number in numbers)


def key_to_proto(key: ApiKey) -> api_key_pb2.ApiKey:
    """A key, without anything that opens a door."""
    return api_key_pb2.ApiKey(
        id=str(key.id),
        service_id=str(key.service_id),
        service_name=key.service_name,
        prefix=key.prefix,
        scopes=sorted(_NUMBERS[scope] for scope in key.scopes),
        designer_id=str(key.designer_id or ""),
        create_time=timestamp(key.created_at),
        expire_time=timestamp(key.expires_at) if key.expires_at is not None else None,
        revoke_time=timestamp(key.revoked_at) if key.revoked_at is not None else None,
        last_use_time=timestamp(key.last_used_at) if key.last_used_at is not None else None,
        replaced_by=str(key.replaced_by or ""),
    )


def signing_key_to_proto(key: SigningKey) -> api_key_pb2.SigningKey:
    """A signing key, without its secret."""
    return api_key_pb2.SigningKey(
        id=str(key.id),
        user_id=str(key.user_id),
        create_time=timestamp(key.created_at),
        revoke_time=timestamp(key.revoked_at) if key.revoked_at is not None else None,
    )
