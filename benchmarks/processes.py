"""kapda's own server and worker: `python -m benchmarks.processes serve|worker`.

Nothing is changed but the gateway, and a service that does nothing stands beside the others (`echo.py`).
"""

import argparse
import sys

import uvloop
from dependency_injector import providers

from benchmarks.echo import EchoServicer, echo_service
from benchmarks.gateway import InstantGateway
from kapda.entrypoints.cli.server_processes import ServerProcesses
from kapda.entrypoints.container import Container
from kapda.entrypoints.grpc import services
from kapda.entrypoints.lifecycle import run_server, run_worker
from kapda.entrypoints.settings import load_settings
from kapda.entrypoints.telemetry import configure_logging


def main() -> None:
    """Run until SIGTERM, as the `kapda` command does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes")
    parser.add_argument("role", choices=("serve", "worker"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--share-port", action="store_true")
    options = parser.parse_args()
    settings = load_settings()
    configure_logging(settings.log_level)
    if options.workers > 1:
        sys.exit(uvloop.run(_keep_up(options.workers)))
    container = Container(settings=settings)
    container.gateway.override(providers.Singleton(InstantGateway, container.clock))
    if options.role == "worker":
        uvloop.run(run_worker(settings, container))
        return
    services.SERVICES = (*services.SERVICES, echo_service())
    container.servicers.add_args(providers.Factory(EchoServicer))
    uvloop.run(run_server(settings, container, share_port=options.share_port))


async def _keep_up(count: int) -> int:
    return await ServerProcesses((sys.executable, "-m", "benchmarks.processes", "serve", "--share-port"), count).run()


if __name__ == "__main__":
    main()
