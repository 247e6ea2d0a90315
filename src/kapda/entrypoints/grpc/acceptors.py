"""Several calls of a method are heard in one turn of the event loop.

grpc.aio 1.85 asks for one call of each method at a time, and for the next one four turns after that has come. A turn of a
busy server takes some milliseconds, so fewer calls of a method are heard than come in a flood, and those unheard wait where
no limit of ours sees them and nobody turns them away. So more ask here, beside grpc's own one, and do with a call what that
does. The functions for it are no part of what grpc promises: a version without them fails when a server starts, which every
test of one shows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import grpc

from kapda.entrypoints.grpc.interceptors.unary import Handler, UnaryInterceptor

# At once for each method, and as many again two turns later: at a hundred turns a second 400 calls of it are heard.
CALLS_A_TURN: Final = 8

_cygrpc: Final[Any] = import_module("grpc._cython.cygrpc")


class Acceptors:
    """Takes the methods that are added to a server, gives them to it and, once it has started, asks for calls of them."""

    def __init__(self, server: grpc.aio.Server, interceptors: Sequence[UnaryInterceptor]) -> None:
        """The interceptors are the server's own: calls accepted here pass the same ones."""
        self._server: Any = server
        self._interceptors = tuple(interceptors)
        self._handlers: dict[str, Handler] = {}
        # The event loop itself keeps tasks only as long as somebody else does.
        self._tasks = set[asyncio.Task[None]]()

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """As grpc's server does."""
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """As grpc's server does; calls of these methods are asked for by name."""
        self._server.add_registered_method_handlers(service, handlers)
        self._handlers.update({f"/{service}/{method}": handler for method, handler in handlers.items()})

    def start(self) -> None:
        """Ask for calls until the server stops. The server has been started."""
        core = self._server._server  # noqa: SLF001  (see above)
        resolver = _cygrpc._MethodResolver([], self._handlers)  # noqa: SLF001
        for method in self._handlers:
            for _ in range(CALLS_A_TURN):
                self._run(self._accept(core, method, resolver))

    async def _accept(self, core: Any, method: str, resolver: Any) -> None:
        loop, name = asyncio.get_running_loop(), method.encode()
        while core.is_running():
            try:
                call = await core._request_registered_call(name)  # noqa: SLF001
            except _cygrpc._RequestCallError:  # noqa: SLF001  (the server stops)
                return
            handling = _cygrpc._handle_rpc(method, resolver, self._interceptors, call, loop, False)  # noqa: SLF001
            self._run(_cygrpc._schedule_rpc_coro(handling, call, loop, method))  # noqa: SLF001

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
