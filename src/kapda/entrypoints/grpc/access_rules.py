"""Who may call which method, read from the contract. What has no rule stops the server from starting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection

from kapda.api.common.v1 import access_pb2, api_scope_pb2, role_pb2
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.user import Role

# Other people's services, whose methods cannot carry our option: both are public and tell nothing about anybody.
UNGUARDED_SERVICES = frozenset({health.SERVICE_NAME, reflection.SERVICE_NAME})

_ROLES: Mapping[int, Role] = {
    role_pb2.ROLE_CUSTOMER: Role.CUSTOMER,
    role_pb2.ROLE_DESIGNER: Role.DESIGNER,
    role_pb2.ROLE_BRAND: Role.BRAND,
    role_pb2.ROLE_ADMIN: Role.ADMIN,
}
EVERYBODY = frozenset(Role)
# Services are not among those who sign in: only a scope opens a method to them.
PEOPLE = EVERYBODY - {Role.SERVICE}
_SCOPES: Mapping[int, Scope] = {api_scope_pb2.ApiScope.Value(f"API_SCOPE_{scope.name}"): scope for scope in Scope}


class AccessRulesError(Exception):
    """Methods without a usable rule; the message names every one of them."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Whom a method lets in: everybody when `public`, else anybody signed in whose role is in `roles`.

    With `guests` also whoever opens a guest cart, with `scope` also services whose API key has it. The calls of those in
    `signed_by` are let in only with their signature.
    """

    public: bool
    roles: frozenset[Role]
    guests: bool = False
    scope: Scope | None = None
    signed_by: frozenset[Role] = frozenset()


def read_rules(services: Iterable[ServiceDescriptor]) -> Mapping[str, AccessRule]:
    """The rule of each method by its path. Raises AccessRulesError that lists every method without a usable one."""
    rules: dict[str, AccessRule] = {}
    faults = []
    for service in services:
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            try:
                rules[path] = _rule(method)
            except ValueError as fault:
                faults.append(f"{path}: {fault}")
    if faults:
        raise AccessRulesError("no usable access rule:\n  " + "\n  ".join(faults))
    return rules


def _rule(method: MethodDescriptor) -> AccessRule:
    if method.client_streaming or method.server_streaming:
        raise ValueError("streams, and no interceptor guards a stream")
    access = method.GetOptions().Extensions[access_pb2.access]
    roles = _roles(access.roles)
    signed_by = _signed_by(access)
    scope = _scope(access)
    match access.audience, bool(roles), access.owned:
        case access_pb2.AUDIENCE_PUBLIC, False, False if scope is None and not signed_by:
            return AccessRule(public=True, roles=frozenset())
        case access_pb2.AUDIENCE_SIGNED_IN, False, _:
            return AccessRule(public=False, roles=PEOPLE, scope=scope, signed_by=signed_by)
        case access_pb2.AUDIENCE_SIGNED_IN_OR_GUEST, False, True if scope is None and not signed_by:
            return AccessRule(public=False, roles=PEOPLE, guests=True)
        case access_pb2.AUDIENCE_ROLES, True, _ if signed_by in (frozenset(), EVERYBODY) or signed_by <= roles:
            return AccessRule(public=False, roles=roles, scope=scope, signed_by=signed_by)
        case access_pb2.AUDIENCE_UNSPECIFIED, _, _:
            raise ValueError("declares none")
        case _:
            raise ValueError("contradicts itself")


def _roles(named: Sequence[int]) -> frozenset[Role]:
    roles = frozenset(_ROLES[role] for role in named if role in _ROLES)
    if len(roles) != len(named):
        raise ValueError("names a role twice, or one that does not exist")
    return roles


def _signed_by(access: access_pb2.Access) -> frozenset[Role]:
    roles = _roles(access.signed_roles)
    if roles and access.signed:
        raise ValueError("has everybody sign, and some besides")
    return EVERYBODY if access.signed else roles


def _scope(access: access_pb2.Access) -> Scope | None:
    if access.scope == api_scope_pb2.API_SCOPE_UNSPECIFIED:
        return None
    if access.scope not in _SCOPES:
        raise ValueError("names a scope that does not exist")
    return _SCOPES[access.scope]
