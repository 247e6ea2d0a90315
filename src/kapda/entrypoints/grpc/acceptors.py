"""Several calls of a method are heard in one turn of the event loop.

grpc.aio 1.85 asks for one call of each method at a time, and for the next one four turns after that has come. A turn of a
busy server takes some milliseconds, so fewer calls of a method are heard than come in a flood, and those unheard wait where
no limit of ours sees them and nobody turns them away. So more are asked for here, beside grpc's own one, and done with as
grpc does. The functions for it are no part of what grpc promises: a version without them fails when a server starts, which
every test of one shows.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final, TypeAlias

import grpc

from kapda.entrypoints.grpc.interceptors.unary import Handler, UnaryInterceptor

# At once for each method: at a hundred turns a second 800 calls of it are heard.
CALLS_A_TURN: Final = 8

_cygrpc: Final[Any] = import_module("grpc._cython.cygrpc")

_Asked: TypeAlias = Coroutine[Any, Any, Any]
# What has been asked for and has not come. grpc's core writes into it whenever it comes, be that after the event loop has
# ended: it must not be freed before, and belongs to no task that is cancelled with the loop.
_asked: Final[set[_Asked]] = set()


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
        self._core = self._server._server  # noqa: SLF001  (see above)
        self._resolver = _cygrpc._MethodResolver([], self._handlers)  # noqa: SLF001
        for method in self._handlers:
            for _ in range(CALLS_A_TURN):
                self._ask(method)

    def _ask(self, method: str) -> None:
        asked: _Asked = self._core._request_registered_call(method.encode())  # noqa: SLF001
        coming: asyncio.Future[None] = asked.send(None)
        # What a task does with a future that its coroutine waits for.
        coming._asyncio_future_blocking = False  # noqa: SLF001
        _asked.add(asked)
        coming.add_done_callback(partial(self._heard, method, asked))

    def _heard(self, method: str, asked: _Asked, _: asyncio.Future[None]) -> None:
        _asked.discard(asked)
        try:
            asked.send(None)
        except StopIteration as came:
            self._begin(method, came.value)
        except _cygrpc._RequestCallError:  # noqa: SLF001
            # The server stops.
            return

    def _begin(self, method: str, call: Any) -> None:
        if self._core.is_running():
            self._ask(method)
        loop = asyncio.get_running_loop()
        handling = _cygrpc._handle_rpc(method, self._resolver, self._interceptors, call, loop, False)  # noqa: SLF001
        task = loop.create_task(_cygrpc._schedule_rpc_coro(handling, call, loop, method))  # noqa: SLF001
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
