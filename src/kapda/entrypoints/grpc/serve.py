"""Runs the server until the process is told to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol


class Server(Protocol):
    """What can be started and drained, such as GrpcServer."""

    async def start(self) -> int:
        """Listen; the port."""
        ...

    async def drain(self) -> None:
        """End well."""
        ...


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. A second signal kills at once: somebody lost patience."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, begin, number)
    return stop


async def serve(server: Server, stop: asyncio.Event, close: Callable[[], Awaitable[None]]) -> None:
    """Serve until `stop` is set, drain, then `close` the pools: nothing may need them any more by then.

    `close` also runs when the server cannot start.
    """
    try:
        await server.start()
        await stop.wait()
        await server.drain()
    finally:
        await close()
