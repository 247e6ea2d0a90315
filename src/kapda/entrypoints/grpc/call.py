"""The call that is being served: what the interceptors found out about it."""

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import grpc

from kapda.domain.cart.owner import CartOwner
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Contact
from kapda.domain.identity.signing import signature_missing
from kapda.domain.shared.audit import Occasion
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.request_log import Answer
from kapda.domain.shared.request_proof import RequestProof

T = TypeVar("T")

REQUEST_ID_KEY = "x-request-id"
REPLAYED_KEY = "idempotent-replayed"
# What the browser behind the REST gateway calls itself; else the gRPC client speaks for itself.
USER_AGENT_KEYS = ("grpcgateway-user-agent", "user-agent")

# grpc.aio's own generics name the request and the response, which no servicer here needs from its context.
Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]


@dataclass(slots=True)
class Call:
    """One call. `principal` is None until somebody is authenticated, for guests, and for public methods.

    `metadata` is what came with it, read once: grpc makes it anew each time that it is asked.
    `client` is where it comes from, by the connection or a proxy of ours; no caller can choose it.
    """

    method: str
    request_id: str
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    client: ClientNetwork = ClientNetwork.UNKNOWN
    principal: Principal | None = None
    guest: CartOwner | None = None
    proof: RequestProof | None = None
    replayed: bool = False

    def values(self, key: str) -> Iterator[str]:
        """What the metadata says under the key, once for each time that it came. Binary values are no values here."""
        return (value for name, value in self.metadata if name == key and isinstance(value, str))

    @property
    def caller_id(self) -> str | None:
        """Who calls, for the log: the user's id, or the guest cart's."""
        if self.principal is not None:
            return str(self.principal.user_id)
        return None if self.guest is None else str(self.guest.id)

    def trailing_metadata(self) -> tuple[tuple[str, str], ...]:
        """What every answer, good or bad, carries behind it."""
        own = ((REQUEST_ID_KEY, self.request_id),)
        return (*own, (REPLAYED_KEY, "true")) if self.replayed else own


_current: ContextVar[Call] = ContextVar("kapda_grpc_call")


def begin(call: Call) -> None:
    """Make `call` the current one. Every call has a context of its own, so nothing needs undoing."""
    _current.set(call)


def current() -> Call:
    """The call that is being served. Raises LookupError outside of one."""
    return _current.get()


def caller() -> Principal:
    """Who calls. Raises UnauthenticatedError (TOKEN_MISSING) where the method's rule let nobody in particular in."""
    principal = current().principal
    if principal is None:
        raise UnauthenticatedError(Reason.TOKEN_MISSING, "sign in first")
    return principal


def contact() -> Contact:
    """From where the call comes, as a session remembers it."""
    call = current()
    agent = next((agent for key in USER_AGENT_KEYS for agent in call.values(key)), None)
    return Contact(call.client, agent)


def proof() -> RequestProof:
    """The signature that was checked for the call. Raises PermissionDeniedError (SIGNATURE_MISSING) where the method's rule
    asked for none."""
    checked = proof_of_some()
    if checked is None:
        raise signature_missing()
    return checked


def proof_of_some() -> RequestProof | None:
    """The signature that was checked for the call; None where the method's rule asks others than the caller for one."""
    return current().proof


def occasion(reason: str) -> Occasion:
    """Who calls, in which call, and why: for what the audit log is told. Raises as `caller` does, and
    InvalidArgumentError (VALIDATION_FAILED) for a blank reason."""
    return Occasion(caller().actor, current().request_id, reason)


def cart_owner() -> CartOwner:
    """Whose cart the call is about. Raises UnauthenticatedError (TOKEN_MISSING) where neither customer nor guest calls."""
    return current().guest or CartOwner.of_customer(caller().user_id)


def value_of(answer: Answer[T]) -> T:
    """What a use case answers; that it answers so once more is told behind the response."""
    current().replayed = answer.replayed
    return answer.value
