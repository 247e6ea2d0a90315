"""Plays the faults of the API's calls: what acts, what is answered, and whether anything is."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kapda.emulator.books import Books
from kapda.emulator.clock import Clock
from kapda.emulator.errors import SERVER_ERROR, ApiError, not_applicable
from kapda.emulator.fault_kinds import (
    ApiFault,
    BrokenServer,
    Html,
    ListLag,
    RateLimited,
    RefundInProgress,
    TimeoutAfter,
    TimeoutBefore,
    WrongAmount,
)
from kapda.emulator.faults import Faults, Occasion
from kapda.emulator.http_body import Endpoint, answer, read_object
from kapda.emulator.http_cut import CutConnection
from kapda.emulator.requests import KEY_HEADER
from kapda.emulator.states import IllegalMoveError

_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
# In the scope of a request: entities younger than this instant are left out of its answer.
NEWEST = "kapda.emulator.newest"


class FaultyCalls:
    """Wraps the endpoints of the API; one fault a call at most."""

    def __init__(self, *, faults: Faults, books: Books, clock: Clock) -> None:
        self._faults = faults
        self._books = books
        self._clock = clock

    def wrap(self, operation: str, endpoint: Endpoint) -> Endpoint:
        """Returns the endpoint as it is, but for the faults that are armed at the time of a call."""

        async def respond(request: Request) -> Response:
            if not self._faults.any:
                return await endpoint(request)
            fault = self._faults.take(ApiFault, await self._occasion(operation, request))
            return await endpoint(request) if fault is None else await self._play(fault, request, endpoint)

        return respond

    async def _occasion(self, operation: str, request: Request) -> Occasion:
        path, given = request.url.path, request.path_params.get("id")
        receipt: object = request.query_params.get("receipt")
        order_id = payment_id = None
        if operation == "create_order":
            receipt = (await read_object(request)).get("receipt")
        elif path.startswith("/v1/orders/"):
            order_id = given
        elif path.startswith("/v1/payments/"):
            payment_id = given
        elif (refund := self._books.refunds.get(given or "")) is not None:
            payment_id = refund.payment_id
        return Occasion(
            order_id=order_id,
            payment_id=payment_id,
            receipt=receipt if isinstance(receipt, str) else None,
            operation=operation,
            method=request.method,
            path=path,
        )

    async def _play(self, fault: ApiFault, request: Request, endpoint: Endpoint) -> Response:
        if isinstance(fault, TimeoutAfter) or (isinstance(fault, BrokenServer | Html) and fault.acts):
            # What the call would have been refused for is lost with its answer.
            with suppress(ApiError, IllegalMoveError):
                await endpoint(request)
        match fault:
            case TimeoutBefore() | TimeoutAfter():
                return CutConnection(fault.seconds)
            case RateLimited():
                raise not_applicable("Too many requests", HTTPStatus.TOO_MANY_REQUESTS)
            case BrokenServer():
                raise ApiError(
                    "The server encountered an error.", status=fault.status, code=SERVER_ERROR, reason="server_error"
                )
            case Html():
                return HTMLResponse(_PAGE.format(f"{fault.status} {_phrase(fault.status)}"), fault.status)
            case WrongAmount():
                return _off(await endpoint(request), fault.by)
            case RefundInProgress():
                return await _in_progress(request, endpoint)
            case ListLag():
                request.scope[NEWEST] = self._clock.now() - fault.seconds
        return await endpoint(request)


async def _in_progress(request: Request, endpoint: Endpoint) -> Response:
    response = await endpoint(request)
    if KEY_HEADER not in request.headers:
        return response
    raise not_applicable("Another request with the same idempotency key is still in progress.", HTTPStatus.CONFLICT)


def _off(response: Response, by: int) -> Response:
    content: dict[str, Any] = msgspec.json.decode(bytes(response.body))
    for entity in content.get("items", [content]):
        entity["amount"] += by
    return answer(content, response.status_code)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
