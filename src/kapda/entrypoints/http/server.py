"""Serves an ASGI application over HTTP/1.1 within limits, until told to stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from kapda.entrypoints.addresses import host_and_port

# Connections and requests at once; one more is answered with a bare 503. Behind it stand the application's own limits.
MAX_CONNECTIONS = 512
# The request line and headers together.
MAX_HEADER_BYTES = 16 * 1024
# Seconds an idle connection is kept for its next request.
KEEP_ALIVE_SECONDS = 30
# Seconds that requests at work get to finish after the stop.
GRACE_SECONDS = 8
_BACKLOG = 256

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.http")


async def serve_http(app: ASGIApp, address: str, stop: asyncio.Event) -> None:
    """Serve at `address` (host:port) until `stop` is set; then finish the requests at work, and return.

    Raises OSError when the address cannot be had, RuntimeError when the application does not start.
    """
    async with serving_http(app, address):
        await stop.wait()


@asynccontextmanager
async def serving_http(app: ASGIApp, address: str) -> AsyncIterator[str]:
    """Serve inside the block; yields the address as a URL, with the real port where port 0 was asked for."""
    listener = _listen(address)
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve([listener]), name="http server")
    try:
        await asyncio.wait({task, started := asyncio.create_task(server.ready.wait())}, return_when="FIRST_COMPLETED")
        started.cancel()
        if not server.started:
            raise RuntimeError("the application did not start")
        host, port = listener.getsockname()[:2]
        _log.info("http server listens", port=port)
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        _log.info("http server drains")
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(address: str) -> socket.socket:
    host, port = host_and_port(address)
    family, kind, protocol, _, bound = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    # The protocol is named: asyncio sends small answers at once only on sockets that say they are TCP.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(bound)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        # Ours is configured already, and a line a request is the application's own.
        log_config=None,
        access_log=False,
        server_header=False,
        # Nobody's word about where a request came from is taken.
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
