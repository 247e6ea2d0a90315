"""From settings to a running process, and back: what each process opens, serves, drains and closes, in that order."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.entrypoints import arenas, garbage
from kapda.entrypoints.container import Container
from kapda.entrypoints.grpc.admission import TARGET_SECONDS
from kapda.entrypoints.grpc.lanes import Lanes
from kapda.entrypoints.grpc.self_call import SelfCall
from kapda.entrypoints.grpc.serve import serve, stop_on_signals
from kapda.entrypoints.grpc.server import GrpcServer, ServerSettings
from kapda.entrypoints.queue_probe import probe_queue
from kapda.entrypoints.settings import Settings

# How often a serving process asks whether its database still answers, and how long it waits for that.
READINESS_SECONDS = 2.0
ANSWER_SECONDS = 5.0
# Saying goodbye, connection by connection, to a database that hangs would take longer than anybody waits for a process.
CLOSE_SECONDS = 10.0

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.lifecycle")


async def run_server(settings: Settings, wired: Container | None = None, *, share_port: bool = False) -> None:
    """The gRPC server, until SIGTERM or SIGINT; then it drains and closes what it opened.

    `wired` is a container with something in it replaced; by default it is made from the settings. `share_port` is for one
    of several servers on the port.
    """
    arenas.share()
    stop = stop_on_signals()
    container = wired or Container(settings=settings)
    server = build_server(settings, container, share_port=share_port)
    garbage.settle()
    self_call = SelfCall(server.private_address)
    watching = asyncio.gather(
        _watch_readiness(server, container),
        *_queue_probes(server.lanes, container),
        probe_queue(self_call, server.lanes.call_waited, impatient_after=TARGET_SECONDS),
    )

    async def close() -> None:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await self_call.close()
        await close_container(container)

    await serve(server, stop, close)


def build_server(settings: Settings, container: Container, *, share_port: bool = False) -> GrpcServer:
    """The gRPC server with every servicer of the container, not listening yet."""
    return GrpcServer(
        settings=ServerSettings(
            address=settings.grpc_address,
            share_port=share_port,
            reflection=settings.reflection,
            lame_duck=settings.lame_duck_seconds,
            trusted_proxies=settings.trusted_proxies,
        ),
        servicers=container.servicers(),
        authenticate=container.authenticate(),
        identify_guest=container.identify_guest(),
        authenticate_api_key=container.authenticate_api_key(),
        verify_signature=container.verify_signature(),
        rate_limits=container.rate_limits(),
        identifiers=container.identifier_digests(),
        supervisor=container.supervisor(),
    )


async def run_webhooks(settings: Settings) -> None:
    """The webhook shim, until SIGTERM or SIGINT."""
    # Each process loads only what it runs: a server has no use for what serves HTTP.
    from kapda.entrypoints.http.server import serve_http  # noqa: PLC0415
    from kapda.entrypoints.http.webhooks import create_webhooks_app  # noqa: PLC0415

    stop = stop_on_signals()
    container = Container(settings=settings)
    app = create_webhooks_app(
        container.receive_gateway_event(),
        # Not Redis: deliveries are taken in without it, and a load balancer must not turn them away for its sake.
        {"database": partial(database_answers, container)},
        registry=REGISTRY,
        allowed_senders=[str(network) for network in settings.webhook_senders],
    )
    try:
        await serve_http(app, settings.webhooks_address, stop)
    finally:
        await close_container(container)


async def run_worker(settings: Settings, wired: Container | None = None) -> None:
    """Jobs and sweeps, until SIGTERM or SIGINT; `wired` as for the server."""
    from kapda.entrypoints.worker import worker  # noqa: PLC0415  (as above)

    arenas.share()
    stop = stop_on_signals()
    container = wired or Container(settings=settings)
    garbage.settle()
    try:
        await worker.run_worker(
            worker.WorkerUseCases(
                webhook_silence=container.measure_webhook_silence().execute,
                process_gateway_event=container.process_gateway_event(),
                settle_checkout=container.settle_checkout(),
                send_refund=container.send_refund(),
                send_mails=container.send_mails().execute,
                relay_events=container.relay_events().execute,
                wake_due_work=container.wake_due_work().execute,
                sweep_recent_payments=container.sweep_recent_payments().execute,
                prune=container.retention().prune,
                expire_carts=container.expire_carts().execute,
            ),
            container.job_runner,
            container.job_listener().listen,
            probes={
                "database": partial(database_answers, container),
                "redis": partial(redis_answers, container),
            },
            registry=REGISTRY,
            address=settings.worker_address,
            stop=stop,
            payments_seconds=settings.payments_sweep_seconds,
            silence_limit=timedelta(minutes=settings.webhook_silence_minutes),
        )
    finally:
        await close_container(container)


async def close_container(container: Container) -> None:
    """Give back every connection and thread, those first that need others; what hangs ends with the process."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await _close(container)
    except TimeoutError:
        _log.warning("not everything could be closed")


async def _close(container: Container) -> None:
    await container.notifier().aclose()
    await container.key_uses().aclose()
    await container.gateway().close()
    container.password_hasher().close()
    container.password_strength().close()
    await container.redis().aclose()
    engines: Sequence[AsyncEngine] = (container.engine(), container.stock_engine(), container.catalog_engine())
    for engine in engines:
        await engine.dispose()


async def database_answers(container: Container) -> bool:
    """Whether PostgreSQL answers a query now."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), container.engine().connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer is no)
        _log.warning("database does not answer", type=type(error).__qualname__)
        return False
    return True


async def redis_answers(container: Container) -> bool:
    """Whether Redis answers now."""
    try:
        return bool(await container.redis().ping())
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer is no)
        _log.warning("redis does not answer", type=type(error).__qualname__)
        return False


def _queue_probes(lanes: Lanes, container: Container) -> Sequence[Coroutine[Any, Any, None]]:
    """One for each pool, told to the calls that wait for it."""
    return [
        probe_queue(connect, tell, impatient_after=TARGET_SECONDS)
        for connect, tell in (
            (container.connection, lanes.connection_waited),
            (container.stock_connection, lanes.stock_waited),
            (container.catalog_connection, lanes.catalog_waited),
        )
    ]


async def _watch_readiness(server: GrpcServer, container: Container) -> None:
    """Health follows the database. Redis may be lost: everything has a way without it."""
    while True:
        await server.set_serving(await database_answers(container))
        await asyncio.sleep(READINESS_SECONDS)
