"""The webhook shim: takes Razorpay's deliveries in, and nothing else.

A 2xx is sent only after the event and its job are committed. Razorpay waits five seconds and sends again after anything
but a 2xx, for a day; so this answers within three, and what it could not finish by then comes again, harmlessly.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum, unique
from http import HTTPStatus
from ipaddress import ip_address, ip_network

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.domain.payments.gateway_event import GatewayEvent, GatewayEventState
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.errors import DomainError, InvalidArgumentError, Reason
from kapda.entrypoints.http.answers import code_of, domain_refusal, json_answer, refusal, unknown_route
from kapda.entrypoints.http.body import BodyTooLargeError, read_body
from kapda.entrypoints.http.operations import OPERATIONS_PATHS, Probe, Readiness, operations_routes
from kapda.entrypoints.http.request_log import RequestLog
from kapda.entrypoints.supervisor import Supervisor
from kapda.entrypoints.use_case import UseCase

WEBHOOK_PATHS = ("/api/payments/webhook", "/api/v1/payments/webhook")
# The longest deliveries seen are some kilobytes.
MAX_BODY_BYTES = 1024 * 1024
# From the first byte read to the answer: inside Razorpay's five with room for the way.
ANSWER_SECONDS = 3.0
# Deliveries being stored at once. More than the pool has connections only wait; what comes on top comes again later.
MAX_DELIVERIES = 32
# A delivery that was answered with 503 may still be stored; then its redelivery is a duplicate.
STORE_SECONDS = 15.0
# Seconds until a refused delivery may come again; Razorpay has a ladder of its own.
RETRY_AFTER = 1.0


@unique
class Outcome(Enum):
    """How a delivery ended, as the metric's label and the log line say it."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    FOREIGN_SENDER = "foreign_sender"
    DISCONNECTED = "disconnected"
    LATE = "late"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


def create_webhooks_app(
    receive_gateway_event: UseCase[ReceiveGatewayEventCommand, GatewayEvent],
    probes: Mapping[str, Probe],
    *,
    registry: CollectorRegistry,
    allowed_senders: Sequence[str] = (),
    answer_seconds: float = ANSWER_SECONDS,
) -> Starlette:
    """The application. `probes` are what readiness asks, by name.

    `allowed_senders` are networks such as 52.66.75.174 or 18.96.225.0/26; empty lets everybody try. They are compared
    with the peer's address alone, so the list is only of use where no proxy stands in between. Raises ValueError for
    one that is no network. The list is a filter; the proof is the signature.
    """
    supervisor = Supervisor(MAX_DELIVERIES, STORE_SECONDS)
    shim = _Shim(receive_gateway_event, supervisor, registry, allowed_senders, answer_seconds)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        # What was answered with 503 and is still being stored; after this the pools may close.
        await supervisor.drain(STORE_SECONDS)

    return Starlette(
        routes=[
            *(Route(path, shim.deliver, methods=["POST"]) for path in WEBHOOK_PATHS),
            *operations_routes(Readiness(probes), registry),
        ],
        middleware=[Middleware(RequestLog, quiet=OPERATIONS_PATHS)],
        exception_handlers={HTTPException: unknown_route},
        lifespan=lifespan,
    )


class _Shim:
    def __init__(
        self,
        receive_gateway_event: UseCase[ReceiveGatewayEventCommand, GatewayEvent],
        supervisor: Supervisor,
        registry: CollectorRegistry,
        allowed_senders: Sequence[str],
        answer_seconds: float,
    ) -> None:
        self._receive_gateway_event = receive_gateway_event
        self._supervisor = supervisor
        self._networks = tuple(ip_network(sender) for sender in allowed_senders)
        self._answer_seconds = answer_seconds
        self._deliveries = Counter(
            "kapda_webhook_deliveries", "Deliveries at the webhook, by how they ended.", ["outcome"], registry=registry
        )
        for outcome in Outcome:
            # A rate that starts at nothing hides its first event.
            self._deliveries.labels(outcome.value)

    async def deliver(self, request: Request) -> Response:
        """Take one delivery in."""
        outcome = Outcome.FAILED
        try:
            outcome, answer = await self._answer(request)
        finally:
            self._deliveries.labels(outcome.value).inc()
            request.state.note["outcome"] = outcome.value
        return answer

    async def _answer(self, request: Request) -> tuple[Outcome, Response]:
        request_id: str = request.state.request_id
        if not self._may_send(request):
            return Outcome.FOREIGN_SENDER, _refuse(HTTPStatus.FORBIDDEN, "not a known sender", request_id)
        try:
            async with asyncio.timeout(self._answer_seconds):
                body = await read_body(request, MAX_BODY_BYTES)
                event = await self._store(ReceiveGatewayEventCommand(_headers(request), body))
        except (BodyTooLargeError, ClientDisconnect, TimeoutError, DomainError) as error:
            return _refused(error, request_id)
        request.state.note.update(gateway_event_id=str(event.id), event_type=event.event_type)
        ignored = event.state is GatewayEventState.IGNORED
        return (Outcome.IGNORED if ignored else Outcome.ACCEPTED), json_answer({"status": "stored"})

    async def _store(self, command: ReceiveGatewayEventCommand) -> GatewayEvent:
        # In a task of its own: when time is up, the answer goes out at once. Cancelling a statement on a database that
        # hangs would hang too; and one that is only slow stores the event, so that the redelivery finds it.
        return await self._supervisor.run("receive gateway event", lambda: self._receive_gateway_event.execute(command))

    def _may_send(self, request: Request) -> bool:
        if not self._networks:
            return True
        try:
            address = ip_address(request.client.host if request.client is not None else "")
        except ValueError:
            return False
        # A socket for both families shows IPv4 peers as ::ffff:192.0.2.1.
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)


def _headers(request: Request) -> dict[str, str]:
    """Header names in lower case; one that came twice is joined, as HTTP has it, and so fits no signature."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _refused(error: Exception, request_id: str) -> tuple[Outcome, Response]:
    """How a delivery that was not stored ends: by its sender's fault with 4xx, by ours with 503."""
    match error:
        case BodyTooLargeError():
            text = f"at most {MAX_BODY_BYTES} bytes"
            return Outcome.TOO_LARGE, _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, request_id)
        case ClientDisconnect():
            return Outcome.DISCONNECTED, _refuse(HTTPStatus.BAD_REQUEST, "the body ended early", request_id)
        case InvalidArgumentError(reason=Reason.PAYMENT_SIGNATURE_INVALID):
            return Outcome.BAD_SIGNATURE, domain_refusal(error, request_id)
        case InvalidArgumentError():
            return Outcome.UNREADABLE, domain_refusal(error, request_id)
        case DomainError():
            return Outcome.UNAVAILABLE, _come_again(error.message, request_id)
        case _:
            return Outcome.LATE, _come_again("not stored in time; send it again", request_id)


def _refuse(status: HTTPStatus, text: str, request_id: str, retry_after: float | None = None) -> Response:
    answer = refusal(status, code_of(status), text, request_id, retry_after=retry_after)
    # The body may be unread: without this the server would go on to read and drop whatever the sender has.
    answer.headers["connection"] = "close"
    return answer


def _come_again(text: str, request_id: str) -> Response:
    return _refuse(HTTPStatus.SERVICE_UNAVAILABLE, text, request_id, RETRY_AFTER)
