"""Runs an emulator: as a process of its own, or inside a test's event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import uvicorn

from kapda.emulator.app import create_app
from kapda.emulator.clock import Clock
from kapda.emulator.http_cut import CuttableProtocol
from kapda.emulator.settings import EmulatorSettings

_POLL_SECONDS = 0.005
# As long as large load balancers keep a connection nobody uses. Closed sooner, it may close just as a client writes to it.
_KEEP_ALIVE_SECONDS = 75


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals to whoever owns the event loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: EmulatorSettings, clock: Clock | None = None) -> None:
    """Serves until SIGINT or SIGTERM."""
    await uvicorn.Server(_config(settings, clock)).serve()


def run(settings: EmulatorSettings, clock: Clock | None = None) -> None:
    """Serves until SIGINT or SIGTERM, in an event loop of its own."""
    with asyncio.Runner() as runner:
        runner.run(serve(settings, clock))


@asynccontextmanager
async def serving(settings: EmulatorSettings, clock: Clock | None = None) -> AsyncIterator[str]:
    """Serves on a free port of the settings' host inside the running loop; yields the address (http://127.0.0.1:4711)."""
    # The port is left to asyncio to bind: it sets TCP_NODELAY only on sockets that it made itself, and without that
    # every answer waits 40 ms for a delayed acknowledgement.
    server = _QuietServer(_config(replace(settings, port=0), clock))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the emulator ended before it served")
            await asyncio.sleep(_POLL_SECONDS)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await task


def _config(settings: EmulatorSettings, clock: Clock | None) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings, clock),
        host=settings.host,
        port=settings.port,
        http=CuttableProtocol,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )
