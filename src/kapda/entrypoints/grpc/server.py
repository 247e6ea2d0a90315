"""The server: which interceptors surround every call, in which order, within which limits, and how it ends."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuestCommand
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKeyCommand
from kapda.domain.identity.use_cases.verify_signature import VerifySignatureCommand
from kapda.domain.shared.request_proof import RequestProof
from kapda.entrypoints import log
from kapda.entrypoints.grpc.acceptors import Acceptors
from kapda.entrypoints.grpc.access_rules import read_rules
from kapda.entrypoints.grpc.deadlines import CAP_SECONDS, MINIMUM_SECONDS
from kapda.entrypoints.grpc.interceptors.access import Access
from kapda.entrypoints.grpc.interceptors.call_log import CallLog
from kapda.entrypoints.grpc.interceptors.client_networks import ClientNetworks, IpNetwork
from kapda.entrypoints.grpc.interceptors.concurrency import MAX_CONCURRENT_CALLS, Concurrency
from kapda.entrypoints.grpc.interceptors.deadlines import Deadlines
from kapda.entrypoints.grpc.interceptors.errors import Errors
from kapda.entrypoints.grpc.interceptors.messages import Messages
from kapda.entrypoints.grpc.interceptors.rates import Rates
from kapda.entrypoints.grpc.interceptors.request_ids import RequestIds
from kapda.entrypoints.grpc.interceptors.signatures import Signatures
from kapda.entrypoints.grpc.interceptors.unary import UnaryInterceptor
from kapda.entrypoints.grpc.lanes import Lanes
from kapda.entrypoints.grpc.rates import IdentifierOf, RateLimits
from kapda.entrypoints.grpc.self_call import SelfCall, private_address
from kapda.entrypoints.grpc.services import service_for
from kapda.entrypoints.grpc.turned_away import TurnedAway
from kapda.entrypoints.grpc.wake_ups import lost_when_full
from kapda.entrypoints.supervisor import Supervisor
from kapda.entrypoints.use_case import UseCase

# The largest request of the contract, a search with every filter full, is about 10 KiB; media never come this way.
_MAX_RECEIVE_BYTES = 256 * 1024
# What clients receive without a setting of theirs.
_MAX_SEND_BYTES = 4 * 1024 * 1024
# How long calls may go on coming that are refused: those who were told when to come back do not.
_QUIET_SECONDS = 1.0
# How long the last responses get to leave once no call is at work.
_SETTLE_SECONDS = 0.5
# All names and values of a call's metadata. grpc has two limits, and refuses at random between them: both are this one.
_MAX_METADATA_BYTES = 16 * 1024
_OPTIONS: Mapping[str, int] = {
    "grpc.max_receive_message_length": _MAX_RECEIVE_BYTES,
    "grpc.max_metadata_size": _MAX_METADATA_BYTES,
    "grpc.absolute_max_metadata_size": _MAX_METADATA_BYTES,
    "grpc.max_send_message_length": _MAX_SEND_BYTES,
    # What has not been heard yet. Beyond a thousand grpc ends calls at random, CANCELLED without a time to come back;
    # heard, they are refused with one.
    "grpc.server.max_pending_requests": 10_000,
    "grpc.server.max_pending_requests_hard_limit": 20_000,
    # A peer that vanished without a word is noticed within a minute and a half.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    # Clients may ping every 30 s, also with no call at work; oftener than that the connection is closed on them.
    "grpc.http2.min_ping_interval_without_data_ms": 30_000,
    "grpc.keepalive_permit_without_calls": 1,
    # Long-lived channels would stay with the processes they met first; half an hour spreads them again.
    "grpc.max_connection_age_ms": 30 * 60_000,
    "grpc.max_connection_age_grace_ms": 60_000,
}


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, and the limits that an operator may want to move. Times are in seconds.

    `share_port` lets several processes of ours listen on one port; without it a second one is refused, not given half
    of the calls. `lame_duck` is the time between telling load balancers to go elsewhere and refusing new calls;
    `grace` is what calls at work then get to finish, and money phases after them once more. `trusted_proxies` are the
    networks of our own gateways, whose word on where a call comes from is taken.
    """

    address: str = "127.0.0.1:50051"
    share_port: bool = False
    reflection: bool = True
    max_concurrent_calls: int = MAX_CONCURRENT_CALLS
    deadline_cap: float = CAP_SECONDS
    deadline_minimums: Mapping[str, float] = field(default_factory=lambda: MINIMUM_SECONDS)
    lame_duck: float = 0.0
    grace: float = 20.0
    trusted_proxies: Sequence[IpNetwork] = ()


class GrpcServer:
    """Serves the given servicers behind all interceptors, with health and reflection beside them."""

    def __init__(
        self,
        *,
        settings: ServerSettings,
        servicers: Sequence[object],
        authenticate: UseCase[AuthenticateCommand, Principal],
        identify_guest: UseCase[IdentifyGuestCommand, CartOwner],
        authenticate_api_key: UseCase[AuthenticateApiKeyCommand, Principal],
        verify_signature: UseCase[VerifySignatureCommand, RequestProof],
        rate_limits: RateLimits,
        identifiers: IdentifierOf,
        supervisor: Supervisor,
    ) -> None:
        """Raises AccessRulesError when a method has no usable rule."""
        services = [service_for(servicer) for servicer in servicers]
        rules = read_rules(service.descriptor for service in services)
        self._settings = settings
        self.private_address = private_address()
        self._supervisor = supervisor
        self._health = health.aio.HealthServicer()
        self._names = [service.descriptor.full_name for service in services]
        self._concurrency = Concurrency(settings.max_concurrent_calls)
        around = interceptors(
            clients=ClientNetworks(settings.trusted_proxies),
            concurrency=self._concurrency,
            deadlines=Deadlines(settings.deadline_cap, settings.deadline_minimums),
            access=Access(rules, authenticate, identify_guest, authenticate_api_key, TurnedAway(rate_limits)),
            rates=Rates((service.descriptor for service in services), rate_limits, identifiers),
            signatures=Signatures(rules, verify_signature),
            messages=Messages(service.descriptor for service in services),
        )
        with lost_when_full():
            self._server = grpc.aio.server(
                interceptors=around,
                options=[*_OPTIONS.items(), ("grpc.so_reuseport", int(settings.share_port))],
            )
        self._acceptors = Acceptors(self._server, around)
        for service, servicer in zip(services, servicers, strict=True):
            service.add(servicer, self._acceptors)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if settings.reflection:
            reflection.enable_server_reflection(
                [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
            )

    @property
    def lanes(self) -> Lanes:
        """Which calls are let in; somebody has to tell them how long their lines are."""
        return self._concurrency.lanes

    async def start(self) -> int:
        """Listen and serve; the port, which grpc chooses for an address with port 0.

        Raises RuntimeError when the port is taken.
        """
        port = self._server.add_insecure_port(self._settings.address)
        self._server.add_insecure_port(self.private_address)
        await self._server.start()
        self._acceptors.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        log.info("grpc server listens", port=port)
        return port

    async def set_serving(self, serving: bool) -> None:
        """Tell health's askers whether the whole server can serve, as readiness found."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._health.set("", status)

    async def drain(self) -> None:
        """End well: say so, refuse what is new, finish what is at work, then wait for the money.

        Whoever closes the database pools does so after this has returned.
        """
        log.info("grpc server drains")
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self._settings.lame_duck)
        await self._turn_away()
        await self._stop()
        # Phases whose callers went away, or were cut off by the grace, are still at work.
        await self._supervisor.drain(self._settings.grace)
        log.info("grpc server stopped")

    async def _turn_away(self) -> None:
        """Refuse every call that has come and was not begun. grpc takes them in one after the other, and when it stops, it
        cancels those that it has not taken in without a word.

        A call of our own comes behind them all; nobody has come after them when it is answered and nobody more was refused.
        """
        self._concurrency.close()
        own = SelfCall(self.private_address)
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                # A server that has stopped already hears nobody, and need not turn anybody away.
                with suppress(grpc.aio.AioRpcError):
                    await self._until_nobody_comes(own)
        except TimeoutError:
            log.warning("calls were still coming when the server stopped", turned_away=self._concurrency.turned_away)
        finally:
            await own.close()

    async def _until_nobody_comes(self, own: SelfCall) -> None:
        turned_away = -1
        while turned_away != self._concurrency.turned_away:
            turned_away = self._concurrency.turned_away
            async with own():
                pass

    async def _stop(self) -> None:
        """Refuse new calls, and wait for those at work, at most for the grace."""
        stopping = asyncio.create_task(self._server.stop(self._settings.grace))
        idle = asyncio.create_task(self._concurrency.idle())
        await asyncio.wait((stopping, idle), return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        if not stopping.done():
            # What is left are watchers of health, who would stay for all of the grace, and responses on their way out.
            await asyncio.wait((stopping,), timeout=_SETTLE_SECONDS)
            await self._server.stop(None)
        await stopping


def interceptors(
    *,
    clients: ClientNetworks,
    concurrency: Concurrency,
    deadlines: Deadlines,
    access: Access,
    rates: Rates,
    signatures: Signatures,
    messages: Messages,
) -> list[UnaryInterceptor]:
    """All interceptors, the outermost first.

    The id comes first, because everything names it. Errors surround the rest, so that nothing escapes unmapped; the log
    sees each error before it is mapped. A call too many at work is refused before it costs a look at its token; how
    often its caller calls is known only after that, and whom the door refuses it counts itself. A message
    is judged only for those who may send it, signed where it must be.
    """
    return [RequestIds(), Errors(), CallLog(), clients, concurrency, deadlines, access, rates, signatures, messages]
