"""A real server on a free port, with stand-ins where the use cases would be."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from kapda.domain.cart.guest import guest_cart_unknown
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuestCommand
from kapda.domain.identity.api_key import key_invalid
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.scope import KeyGrant, Scope
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKeyCommand
from kapda.domain.identity.use_cases.verify_signature import VerifySignatureCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import ApiKeyId, CartId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.request_proof import RequestProof, signature_invalid
from kapda.entrypoints.grpc.call import REQUEST_ID_KEY
from kapda.entrypoints.grpc.interceptors.access import SERVICE_METADATA
from kapda.entrypoints.grpc.interceptors.errors import DETAILS_KEY
from kapda.entrypoints.grpc.interceptors.signatures import (
    NONCE_METADATA,
    SIGNATURE_METADATA,
    SIGNING_METADATA,
    TIMESTAMP_METADATA,
)
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.rates import RateLimits
from kapda.entrypoints.grpc.server import GrpcServer, ServerSettings
from kapda.entrypoints.grpc.servicers.api_keys import ApiKeyServicer
from kapda.entrypoints.grpc.servicers.cart import CartServicer
from kapda.entrypoints.grpc.servicers.catalog import CatalogServicer
from kapda.entrypoints.grpc.servicers.checkout import CheckoutServicer
from kapda.entrypoints.grpc.servicers.identity import IdentityServicer
from kapda.entrypoints.grpc.servicers.inventory import InventoryServicer
from kapda.entrypoints.grpc.servicers.ops import OpsServicer
from kapda.entrypoints.grpc.servicers.orders import OrderServicer
from kapda.entrypoints.grpc.servicers.passwords import PasswordServicer
from kapda.entrypoints.grpc.servicers.payments import PaymentServicer
from kapda.entrypoints.grpc.servicers.profile import ProfileServicer
from kapda.entrypoints.grpc.servicers.users import UserServicer
from kapda.entrypoints.supervisor import Supervisor
from tests.fakes.log_ins import ReadableDigests
from tests.fakes.rate_limits import CountedCalls

MessageT = TypeVar("MessageT", bound=Message)

PAGE_KEY = bytes(range(32))
SETTINGS = ServerSettings(address="127.0.0.1:0", grace=5.0)
CUSTOMER, OTHER_CUSTOMER, DESIGNER, ADMIN = "customer-token", "other-customer-token", "designer-token", "admin-token"
# Services by their keys: one that may read stock, and one that may do everything a service may.
STOCK_READER, EVERYTHING = "stock-reader-key", "everything-key"
SERVICES = {
    key: Principal(
        UserId(UUID(int=number)),
        Role.SERVICE,
        SessionId(UUID(int=number + 10)),
        KeyGrant(ApiKeyId(UUID(int=number + 10)), scopes),
    )
    for number, (key, scopes) in enumerate(
        {STOCK_READER: frozenset({Scope.INVENTORY_READ}), EVERYTHING: frozenset(Scope)}.items(), start=5
    )
}
SIGNATURE = "5" * 64
PROOF = RequestProof(SigningKeyId(UUID(int=0x51)), "nonce-of-the-case", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
SIGNED = (
    (SIGNING_METADATA, str(PROOF.key_id)),
    (TIMESTAMP_METADATA, str(int(PROOF.signed_at.timestamp()))),
    (NONCE_METADATA, PROOF.nonce),
    (SIGNATURE_METADATA, SIGNATURE),
)
GUEST, GUEST_OWNER = "guest-token", CartOwner.of_guest(CartId(UUID(int=9)))
PRINCIPALS = {
    CUSTOMER: Principal(UserId(UUID(int=1)), Role.CUSTOMER, SessionId(UUID(int=11))),
    OTHER_CUSTOMER: Principal(UserId(UUID(int=2)), Role.CUSTOMER, SessionId(UUID(int=12))),
    DESIGNER: Principal(UserId(UUID(int=3)), Role.DESIGNER, SessionId(UUID(int=13))),
    ADMIN: Principal(UserId(UUID(int=4)), Role.ADMIN, SessionId(UUID(int=14))),
}

# What a browser behind the gateway sends along; the server's own machine is the client's here.
BROWSER, CALL_ID = "Firefox on Fedora", "call-of-this-test"
FROM_A_BROWSER = (("grpcgateway-user-agent", BROWSER), (REQUEST_ID_KEY, CALL_ID))
HERE = Contact(ClientNetwork("127.0.0.0/24"), BROWSER)

Behaviour: TypeAlias = Callable[[Any], Awaitable[Any]]


class KnownTokens:
    """Authenticates the tokens above and no other."""

    async def execute(self, command: AuthenticateCommand) -> Principal:
        """The principal of a known token."""
        principal = PRINCIPALS.get(command.access_token)
        if principal is None:
            raise UnauthenticatedError(Reason.TOKEN_INVALID, "not a token of ours")
        return principal


@dataclass
class KnownKeys:
    """Authenticates the keys above and no other."""

    looked_up: int = 0

    async def execute(self, command: AuthenticateApiKeyCommand) -> Principal:
        """The service of a known key."""
        self.looked_up += 1
        if command.key not in SERVICES:
            raise key_invalid()
        return SERVICES[command.key]


class KnownSignatures:
    """Takes SIGNATURE for everybody's, and no other."""

    async def execute(self, command: VerifySignatureCommand) -> RequestProof:
        """The proof of the known signature."""
        if command.signature.text != SIGNATURE:
            raise signature_invalid()
        return PROOF


@dataclass
class KnownGuests:
    """Knows the guest above and no other."""

    looked_up: int = 0

    async def execute(self, command: IdentifyGuestCommand) -> CartOwner:
        """The guest of a known token."""
        self.looked_up += 1
        if command.token.secret != GUEST:
            raise guest_cart_unknown()
        return GUEST_OWNER


@dataclass(slots=True)
class UseCases:
    """Use cases by name. Each does what a test has put under its name, and remembers its commands."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    commands: list[Any] = field(default_factory=list)

    def named(self, name: str) -> "StandIn":
        """The use case of that name."""
        return StandIn(self, name)


@dataclass(frozen=True, slots=True)
class StandIn:
    """One use case."""

    use_cases: UseCases
    name: str

    async def execute(self, command: Any = None) -> Any:
        """What the test wants."""
        self.use_cases.commands.append(command)
        return await self.use_cases.behaviours[self.name](command)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens, a channel to it, and what stands behind it."""

    server: GrpcServer
    channel: grpc.aio.Channel
    use_cases: UseCases
    supervisor: Supervisor
    port: int
    keys: KnownKeys
    guests: KnownGuests

    async def stop(self) -> None:
        """End both."""
        await self.channel.close()
        await self.server.drain()


class Start(Protocol):
    """Starts a server, with settings changed by keyword."""

    async def __call__(
        self, supervisor: Supervisor | None = None, rate_limits: RateLimits | None = None, **changes: Any
    ) -> Running:
        """The server, listening."""
        ...


async def start_server(
    supervisor: Supervisor | None = None, rate_limits: RateLimits | None = None, **changes: Any
) -> Running:
    """A server with stand-ins, listening, with settings changed by keyword."""
    use_cases, watch, keys, guests = UseCases(), supervisor or Supervisor(), KnownKeys(), KnownGuests()
    server = GrpcServer(
        settings=replace(SETTINGS, **changes),
        servicers=_servicers(use_cases, watch),
        authenticate=KnownTokens(),
        identify_guest=guests,
        authenticate_api_key=keys,
        verify_signature=KnownSignatures(),
        rate_limits=rate_limits or CountedCalls(),
        identifiers=ReadableDigests(),
        supervisor=watch,
    )
    port = await server.start()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    return Running(server, channel, use_cases, watch, port, keys, guests)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers, with settings changed by keyword, and ends them all after the test."""
    running: list[Running] = []

    async def start_one(*given: Any, **changes: Any) -> Running:
        one = await start_server(*given, **changes)
        running.append(one)
        return one

    yield start_one
    for one in running:
        await one.stop()


@pytest.fixture
async def served(start: Start) -> Running:
    """A server with the usual settings."""
    return await start()


def _servicers(use_cases: UseCases, supervisor: Supervisor) -> list[object]:
    tokens = PageTokens([PAGE_KEY])

    def named(*names: str) -> dict[str, Any]:
        return {name: use_cases.named(name) for name in names}

    return [
        IdentityServicer(
            **named("sign_up", "log_in", "refresh_session", "log_out", "log_out_everywhere", "list_sessions"),
            **named("end_session", "get_me"),
            page_tokens=tokens,
        ),
        PasswordServicer(
            **named("change_password", "request_password_reset", "reset_password"),
            **named("request_email_confirmation", "confirm_email", "request_unlock", "unlock"),
        ),
        ApiKeyServicer(
            **named("issue_api_key", "list_api_keys", "rotate_api_key", "revoke_api_key"),
            **named("issue_signing_key", "list_signing_keys", "revoke_signing_key"),
            page_tokens=tokens,
        ),
        CatalogServicer(**named("list_products", "search_products", "get_product"), page_tokens=tokens),
        InventoryServicer(
            **named(
                "get_stock",
                "explain_availability",
                "receive_stock",
                "batch_receive_stock",
                "set_stock",
                "set_low_stock_threshold",
                "adjust_stock",
                "list_stock_movements",
            ),
            page_tokens=tokens,
        ),
        CartServicer(
            **named("create_guest_cart", "merge_guest_cart"),
            **named("get_cart", "add_item", "change_item", "remove_item", "clear_cart", "validate_cart"),
        ),
        CheckoutServicer(
            **named("start_checkout", "get_checkout", "abandon_checkout"),
            supervisor=supervisor,
            razorpay_key_id="rzp_test_key",
        ),
        OrderServicer(
            **named("place_order", "get_order", "list_orders", "cancel_order", "refund_order", "list_refunds"),
            supervisor=supervisor,
            page_tokens=tokens,
        ),
        PaymentServicer(**named("get_payment")),
        UserServicer(
            **named(
                "get_user",
                "get_user_by_email",
                "set_user_role",
                "disable_user",
                "enable_user",
                "list_user_sessions",
                "end_user_sessions",
                "unlock_user",
                "list_audit_entries",
            ),
            page_tokens=tokens,
        ),
        ProfileServicer(
            **named(
                "get_profile",
                "update_profile",
                "list_addresses",
                "add_address",
                "update_address",
                "prefer_address",
                "remove_address",
                "export_my_data",
                "delete_my_account",
            )
        ),
        OpsServicer(
            **named("check_promises", "list_open_cases", "resolve_case"), supervisor=supervisor, page_tokens=tokens
        ),
    ]


def as_caller(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a signed-in call."""
    return (("authorization", f"Bearer {token}"),)


def as_service(key: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a service's call."""
    return ((SERVICE_METADATA, key),)


async def refusal(call: Awaitable[object]) -> "Refusal":
    """How a call that must be refused is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return Refusal(caught.value)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as the client sees it."""

    error: grpc.aio.AioRpcError

    @property
    def code(self) -> grpc.StatusCode:
        """The status code."""
        return self.error.code()

    @property
    def text(self) -> str:
        """The message."""
        return self.error.details() or ""

    @property
    def metadata(self) -> dict[str, str | bytes]:
        """The trailing metadata."""
        return dict(self.error.trailing_metadata())

    @property
    def status(self) -> status_pb2.Status:
        """The rich status, which must say what the plain one says."""
        status = status_pb2.Status()
        details = self.metadata[DETAILS_KEY]
        assert isinstance(details, bytes)
        status.ParseFromString(details)
        assert (status.code, status.message) == (self.code.value[0], self.text)
        return status

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        """The ErrorInfo."""
        return self.detail(error_details_pb2.ErrorInfo)

    def has(self, kind: type[Message]) -> bool:
        """Whether there is a detail of the kind."""
        return bool(self._packed(kind))

    def detail(self, kind: type[MessageT]) -> MessageT:
        """The one detail of the kind."""
        (packed,) = self._packed(kind)
        message = kind()
        assert packed.Unpack(message)
        return message

    def _packed(self, kind: type[Message]) -> list[AnyMessage]:
        name = f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
        return [detail for detail in self.status.details if detail.type_url == name]
