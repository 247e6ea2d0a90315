"""What all interceptors here share: they surround the unary methods of our own services."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from kapda.entrypoints.grpc.access_rules import UNGUARDED_SERVICES
from kapda.entrypoints.grpc.call import Context

# Requests and responses are bytes until the innermost interceptor makes messages of them.
Proceed: TypeAlias = Callable[[Any, Context], Awaitable[bytes]]
# Quoted: the class is generic for type checkers only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
MaybeHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


class UnaryInterceptor(grpc.aio.ServerInterceptor):
    """Surrounds a call between the bytes of its request and those of its response.

    Health and reflection pass by: they are other people's code, and must answer when nothing else does.
    """

    def __init__(self) -> None:
        # A method's handler never changes, so it is wrapped once and not anew for every call.
        self._handlers: dict[str, Handler] = {}

    @abstractmethod
    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call, usually by `await proceed(request, context)`. `method` is `/package.Service/Method`."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[MaybeHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> MaybeHandler:
        """Give grpc the method's handler with `around` about it."""
        method = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or service_of(method) in UNGUARDED_SERVICES:
            return handler
        self._handlers[method] = self.wrap(method, handler)
        return self._handlers[method]

    def wrap(self, method: str, handler: Handler) -> Handler:
        """The handler with `around` about it. Raises TypeError for one that streams."""
        # grpc's stubs describe the synchronous server here; on the aio server the behaviour is a coroutine function.
        proceed: Any = handler.unary_unary
        if proceed is None:
            raise TypeError(f"{method} streams, and no interceptor guards a stream")

        async def behaviour(request: bytes, context: Context) -> bytes:
            return await self.around(method, request, context, proceed)

        return grpc.unary_unary_rpc_method_handler(behaviour)


def service_of(method: str) -> str:
    """`package.Service` of `/package.Service/Method`."""
    return method.rpartition("/")[0].removeprefix("/")
