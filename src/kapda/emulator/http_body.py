"""Reads and writes JSON over HTTP, and turns refusals into Razorpay's envelope."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from kapda.emulator.errors import ApiError, not_applicable
from kapda.emulator.requests import Body
from kapda.emulator.states import IllegalMoveError

Endpoint = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")

# Far above any documented request; it only keeps a runaway caller from filling the memory.
_BODY_LIMIT = 256 * 1024
_READ = "kapda.emulator.body"


def answer(content: object, status: int = HTTPStatus.OK) -> Response:
    """Returns a JSON response."""
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


async def read_bytes(request: Request) -> bytes:
    """Reads the body up to its limit; a second time it is still there."""
    read: bytes | None = request.scope.get(_READ)
    if read is not None:
        return read
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise not_applicable("The request is too large.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    request.scope[_READ] = read = bytes(body)
    return read


async def read_object(request: Request) -> Body:
    """Reads a JSON object; no body at all is an empty one."""
    body = await read_bytes(request)
    if not body:
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise not_applicable("The request body is not a JSON object.") from error


async def read_as(request: Request, type_: type[T]) -> T:
    """Reads a JSON object of that shape; used by the control endpoints only."""
    return await read_with(request, msgspec.json.Decoder(type_))


async def read_with(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Reads what that decoder knows; used by the control endpoints only."""
    try:
        return decoder.decode(await read_bytes(request) or b"{}")
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ApiError(str(error)) from error


def guarded(endpoint: Endpoint) -> Endpoint:
    """Wraps an endpoint so that a refusal becomes its envelope."""

    async def respond(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ApiError as refusal:
            return answer(refusal.body(), refusal.status)
        except IllegalMoveError as refusal:
            return answer(ApiError(str(refusal)).body(), HTTPStatus.BAD_REQUEST)

    return respond
