"""Around every request: its id, one log line about it, and a last resort for what nobody expected."""

from collections.abc import MutableMapping
from http import HTTPStatus
from time import perf_counter
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kapda.entrypoints.http.answers import refusal
from kapda.entrypoints.telemetry import describe, request_id_from

REQUEST_ID_HEADER = "x-request-id"
# A path is the caller's text: enough of it to recognise, not enough to flood the log.
_MAX_PATH = 100

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.http")


class RequestLog:
    """ASGI middleware.

    Endpoints find the id in `request.state.request_id`, and put what the line should say besides in
    `request.state.note`. Paths in `quiet` are asked every second by probes; their lines are for debugging.
    """

    def __init__(self, app: ASGIApp, *, quiet: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and write its line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_from(Headers(scope=scope).get(REQUEST_ID_HEADER))
        note: MutableMapping[str, Any] = {}
        # The server hands every request a state of its own.
        scope.setdefault("state", {}).update(request_id=request_id, note=note)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            started = perf_counter()
            status = await self._serve(scope, receive, send, request_id)
            write = _log.debug if scope["path"] in self._quiet else _log.info
            write(
                "request",
                method=scope["method"],
                path=scope["path"][:_MAX_PATH],
                status=status,
                duration_ms=round((perf_counter() - started) * 1000, 2),
                **note,
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int | None:
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach the client
            _log.error("request failed", raised=describe(error))
            if status is None:
                failed = HTTPStatus.INTERNAL_SERVER_ERROR
                text = f"internal error, request {request_id}"
                await refusal(failed, "INTERNAL", text, request_id)(scope, receive, send_with_id)
        return status
