"""kapda's own server and worker, with nothing changed but the gateway: `python -m benchmarks.processes serve|worker`."""

import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import uvloop
from dependency_injector import providers

from benchmarks.gateway import InstantGateway
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import run_server, run_worker
from kapda.entrypoints.settings import Settings, load_settings
from kapda.entrypoints.telemetry import configure_logging

_ROLES: Mapping[str, Callable[[Settings, Container], Coroutine[Any, Any, None]]] = {
    "serve": run_server,
    "worker": run_worker,
}


def main() -> None:
    """Run until SIGTERM, as the `kapda` command does."""
    settings = load_settings()
    configure_logging(settings.log_level)
    container = Container(settings=settings)
    container.gateway.override(providers.Singleton(InstantGateway, container.clock))
    uvloop.run(_ROLES[sys.argv[1]](settings, container))


if __name__ == "__main__":
    main()
