"""Ends a call without an answer, as a time-out or a broken line does."""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_CUT: Final = "cut"


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose applications can cut the connection; ASGI itself has no word for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, _CUT: transport.abort}


class CutConnection(Response):
    """Says nothing for so many (real) seconds, or until the caller leaves, and then cuts the connection.

    Raises:
        ConnectionAbortedError: there is no connection, because the application is called without a server.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's form
        if self._seconds:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await _gone(receive)
        cut = scope.get("state", {}).get(_CUT)
        if cut is None:
            raise ConnectionAbortedError("the emulator cuts the connection")
        cut()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
