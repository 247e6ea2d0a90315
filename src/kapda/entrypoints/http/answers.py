"""Answers in JSON, and the one shape of an error: `{"error": {"code", "message", "requestId"}}`."""

import math
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kapda.domain.shared.errors import DomainError, Kind

_JSON = "application/json"
_STATUS = {
    Kind.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Kind.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    # Not 412, which speaks of conditional headers; the gateway in front of gRPC answers the same.
    Kind.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    Kind.ABORTED: HTTPStatus.CONFLICT,
    Kind.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


# The library's name of it changed with Python 3.13; a caller's code must not.
_RENAMED = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "CONTENT_TOO_LARGE"}


def json_answer(content: object) -> Response:
    """200 with `content` as JSON."""
    return Response(orjson.dumps(content), media_type=_JSON)


def refusal(
    status: HTTPStatus, code: str, message: str, request_id: str, *, retry_after: float | None = None
) -> Response:
    """An error. `retry_after` is in seconds and becomes a header, rounded up: the header knows whole seconds only."""
    headers = {} if retry_after is None else {"retry-after": str(max(1, math.ceil(retry_after)))}
    body = {"error": {"code": code, "message": message, "requestId": request_id}}
    return Response(orjson.dumps(body), status, headers, _JSON)


def code_of(status: HTTPStatus) -> str:
    """The error code that goes with a status where nothing more exact is known."""
    return _RENAMED.get(status, status.name)


def domain_refusal(error: DomainError, request_id: str) -> Response:
    """A domain error by its kind, with its reason as the code."""
    return refusal(_STATUS[error.kind], error.reason.value, error.message, request_id, retry_after=error.retry_after)


async def unknown_route(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (no such path, no such method) in our shape."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    answer = refusal(status, code_of(status), status.phrase, request.state.request_id)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer
