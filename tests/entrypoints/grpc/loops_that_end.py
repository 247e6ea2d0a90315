"""Servers whose event loops end in any way, many in one process: what grpc's core writes afterwards must find its place."""

import asyncio
import gc
import sys
from contextlib import suppress
from typing import Any

import grpc
import uvloop

from kapda.entrypoints.grpc.acceptors import Acceptors
from kapda.entrypoints.grpc.interceptors.unary import Handler
from kapda.entrypoints.grpc.wake_ups import lost_when_full

CALLS = 100


async def _slowly(_request: bytes, _context: object) -> bytes:
    await asyncio.sleep(0.005)
    return b""


async def _serve_a_little(number: int) -> None:
    with lost_when_full():
        server = grpc.aio.server()
    acceptors = Acceptors(server, ())
    handlers: dict[str, Handler] = {"Get": grpc.unary_unary_rpc_method_handler(_slowly)}
    acceptors.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a.Service", handlers),))
    acceptors.add_registered_method_handlers("a.Service", handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    acceptors.start()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
    # Without serialisers it takes and gives bytes, which grpc's stubs for type checkers do not know.
    get: Any = channel.unary_unary("/a.Service/Get")

    async def call() -> None:
        with suppress(grpc.aio.AioRpcError):
            await get(b"")

    calls = [asyncio.create_task(call()) for _ in range(CALLS)]
    # Before any is heard, in the middle, or when all are answered.
    await asyncio.sleep(0.004 * (number % 25))
    match number % 4:
        case 0:
            await server.stop(None)
        case 1:
            await server.stop(0.01)
        case 2:
            await channel.close()
        case _:
            # Everything is left as it is.
            del calls


def main() -> None:
    """As many loops as the first argument says."""
    for number in range(int(sys.argv[1])):
        (uvloop.run if number % 2 else asyncio.run)(_serve_a_little(number))
        gc.collect()


if __name__ == "__main__":
    main()
