"""The whole of kapda on one machine: PostgreSQL, Valkey, Razorpay's emulator and kapda's own processes.

`kapda dev` keeps it running, `kapda demo` drives a purchase through it.
"""

import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import free_port
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.entrypoints.cli.probes import grpc_is_ready, http_is_ready
from kapda.entrypoints.cli.supervisor import Program, Service, Supervisor, Task

DEVELOPMENT_FOLDER: Final = Path(".run")
"""Data and logs of `kapda dev`, kept from one run to the next."""

DEVELOPMENT_ADDRESSES: Final[Mapping[str, str]] = {
    "KAPDA_GRPC_ADDRESS": "127.0.0.1:50051",
    "KAPDA_WEBHOOKS_ADDRESS": "127.0.0.1:8081",
    "KAPDA_WORKER_ADDRESS": "127.0.0.1:8082",
    "KAPDA_EMULATOR_ADDRESS": "127.0.0.1:8083",
}

WEBHOOK_PATH: Final = "/api/payments/webhook"

_PREFIX: Final = "KAPDA_"
_KAPDA: Final = (sys.executable, "-m", "kapda.entrypoints.cli.main")
_DATABASE: Final = "kapda"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    supervisor: Supervisor
    environment: Mapping[str, str]
    """The KAPDA_ variables that every process got."""


@contextmanager
def development_stack() -> Iterator[Stack]:
    """Run the stack on fixed ports, its data in `.run`; this process's KAPDA_ variables win over what is made up."""
    own = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    with running_stack(DEVELOPMENT_FOLDER, {**DEVELOPMENT_ADDRESSES, **own}) as stack:
        yield stack


@contextmanager
def demo_stack() -> Iterator[Stack]:
    """Run the stack on free ports with its data in a temporary folder, untouched by this process's KAPDA_ variables."""
    with tempfile.TemporaryDirectory(prefix="kapda-demo-") as folder, running_stack(Path(folder), {}) as stack:
        yield stack


@contextmanager
def running_stack(folder: Path, given: Mapping[str, str]) -> Iterator[Stack]:
    """Start everything, with data and logs in `folder`; stop everything on leaving.

    The variables `given` win over what is made up here; no `.env` is read. A given KAPDA_DATABASE_URL, KAPDA_REDIS_URL or
    KAPDA_RAZORPAY_BASE_URL means that no PostgreSQL, Valkey or emulator is started. The block is left by
    KeyboardInterrupt on Ctrl-C and by SystemExit on SIGTERM and SIGHUP. Raises ProgramError, or StartError for
    PostgreSQL and Valkey.
    """
    services: dict[str, Service] = {}
    environment = {**_made_up(), **given}
    with _signals_leave_the_block(), ExitStack() as cleanup:
        if "KAPDA_DATABASE_URL" not in environment:
            services["postgresql"] = postgres = cleanup.enter_context(EmbeddedPostgres(folder / "postgresql"))
            postgres.create_database(_DATABASE)
            environment["KAPDA_DATABASE_URL"] = postgres.url(_DATABASE)
        if "KAPDA_REDIS_URL" not in environment:
            services["valkey"] = valkey = cleanup.enter_context(EmbeddedValkey(folder / "valkey"))
            environment["KAPDA_REDIS_URL"] = valkey.url()
        programs = _own_programs(environment)
        if "KAPDA_RAZORPAY_BASE_URL" not in environment:
            programs = (_emulator(environment), *programs)
            environment["KAPDA_RAZORPAY_BASE_URL"] = f"http://{environment['KAPDA_EMULATOR_ADDRESS']}"
        outer = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
        supervisor = Supervisor(
            tasks=(Task("migrate", (*_KAPDA, "migrate")), Task("seed", (*_KAPDA, "seed"))),
            programs=programs,
            services=services,
            environment={**outer, **environment},
            logs=folder / "logs",
        )
        yield Stack(cleanup.enter_context(supervisor), environment)


def _made_up() -> dict[str, str]:
    """Return free addresses and fresh secrets; nothing that could be taken for a real account's."""
    addresses = {name: f"127.0.0.1:{free_port()}" for name in DEVELOPMENT_ADDRESSES}
    return {
        **addresses,
        "KAPDA_ENVIRONMENT": "development",
        "KAPDA_RAZORPAY_KEY_ID": f"rzp_test_{secrets.token_hex(7)}",
        "KAPDA_RAZORPAY_KEY_SECRET": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_WEBHOOK_SECRETS": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_ACCOUNT_ID": f"acc_{secrets.token_hex(7)}",
        "KAPDA_JWT_KEYS": f"{secrets.token_hex(4)}:{secrets.token_urlsafe(48)}",
        "KAPDA_PAGE_TOKEN_KEY": secrets.token_urlsafe(32),
        "KAPDA_LOG_LEVEL": "INFO",
        "KAPDA_EMULATOR_SEED": "1",
    }


def _emulator(environment: dict[str, str]) -> Program:
    address = environment["KAPDA_EMULATOR_ADDRESS"]
    environment.setdefault(
        "KAPDA_EMULATOR_WEBHOOK_URL", f"http://{environment['KAPDA_WEBHOOKS_ADDRESS']}{WEBHOOK_PATH}"
    )
    return Program(
        "emulator",
        (*_KAPDA, "emulator", "--address", address),
        partial(http_is_ready, f"http://{address}/emulator/health"),
    )


def _own_programs(environment: Mapping[str, str]) -> tuple[Program, ...]:
    """Return kapda's processes in the order of their start; they stop in the reverse order, the emulator after them."""
    return (
        Program("serve", (*_KAPDA, "serve"), partial(grpc_is_ready, environment["KAPDA_GRPC_ADDRESS"])),
        Program(
            "webhooks",
            (*_KAPDA, "webhooks"),
            partial(http_is_ready, f"http://{environment['KAPDA_WEBHOOKS_ADDRESS']}/api/ready"),
        ),
        Program(
            "worker",
            (*_KAPDA, "worker"),
            partial(http_is_ready, f"http://{environment['KAPDA_WORKER_ADDRESS']}/api/ready"),
        ),
    )


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


@contextmanager
def _signals_leave_the_block() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise SystemExit, so that everything is stopped as it is on Ctrl-C.

    SIGINT is set as well: a shell starts what it puts in the background with SIGINT ignored.
    """
    handlers = {signal.SIGTERM: _leave, signal.SIGHUP: _leave, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
