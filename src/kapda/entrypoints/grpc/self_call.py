"""The server calls itself, to know what a caller knows: how long it takes until a call is begun.

grpc takes new calls in one by one, between two turns of the event loop. When much is at work a turn takes long, and calls
wait in grpc, before any interceptor of ours sees them. Only a call can tell how long.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc

_HEALTH: Final = "/grpc.health.v1.Health/Check"
_DEADLINE_SECONDS: Final = 10.0


def private_address() -> str:
    """Where nobody else calls: a port may be shared with other servers, who would answer in our place."""
    return f"unix-abstract:kapda-{secrets.token_hex(8)}"


class SelfCall:
    """One channel to an address of this very server."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self._check: Any = self._channel.unary_unary(_HEALTH)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Inside the block a call has been answered. Raises grpc.aio.AioRpcError."""
        await self._check(b"", timeout=_DEADLINE_SECONDS)
        yield

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()
