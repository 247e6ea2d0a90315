"""The whole of kapda on one machine: PostgreSQL, Valkey, Razorpay's emulator and kapda's own processes.

`kapda dev` keeps it running, `kapda demo` drives a purchase through it.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import StartError, free_port
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.entrypoints.cli.probes import grpc_is_ready, http_is_ready
from kapda.entrypoints.cli.signals import signals_leave_the_block
from kapda.entrypoints.cli.supervisor import Program, ProgramError, Service, Supervisor, Task

DEVELOPMENT_FOLDER: Final = Path(".run")
"""Data, logs and secrets of `kapda dev`, kept from one run to the next."""

DEVELOPMENT_ADDRESSES: Final[Mapping[str, str]] = {
    "KAPDA_GRPC_ADDRESS": "127.0.0.1:50051",
    "KAPDA_WEBHOOKS_ADDRESS": "127.0.0.1:8081",
    "KAPDA_WORKER_ADDRESS": "127.0.0.1:8082",
    "KAPDA_EMULATOR_ADDRESS": "127.0.0.1:8083",
}

STACK_ERRORS: Final = (ProgramError, StartError)
"""What starting and watching a stack raises; the message is for people."""

ADMIN_EMAIL: Final = "admin@kapda.example"
"""The seed's admin, who has the password KAPDA_SEED_ADMIN_PASSWORD."""

WEBHOOK_PATH: Final = "/api/payments/webhook"

# Nobody watches a demo for two minutes until the sweep of the account's payments comes round.
_IMPATIENT: Final = {"KAPDA_PAYMENTS_SWEEP_SECONDS": "3"}
_PREFIX: Final = "KAPDA_"
_KAPDA: Final = (sys.executable, "-m", "kapda.entrypoints.cli.main")
_DATABASE: Final = "kapda"
_CONSTANTS: Final[Mapping[str, str]] = {
    "KAPDA_ENVIRONMENT": "development",
    "KAPDA_REFLECTION": "true",
    # Everybody is at 127.0.0.1 here: a crowd of customers looks like one network.
    "KAPDA_RATE_AUTH_NETWORK": "60000 per minute",
    "KAPDA_RATE_NETWORK": "600000 per minute",
    "KAPDA_RATE_REFUSED": "600000 per minute",
    # And one admin recomputes the promises for all of them.
    "KAPDA_RATE_EXPENSIVE": "60000 per minute",
    "KAPDA_LOG_LEVEL": "INFO",
    "KAPDA_EMULATOR_SEED": "1",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    supervisor: Supervisor
    environment: Mapping[str, str]
    """The KAPDA_ variables that every process got."""
    durations: Mapping[str, float]
    """Seconds until each part was ready, in the order of starting; kapda's own processes start at the same time."""

    def chore(self, *words: str) -> str:
        """Run a command of `kapda` as an operator of this stack would, and return what it prints. Raises ProgramError."""
        ran = subprocess.run(  # noqa: S603  (our own program)
            [*_KAPDA, *words], env=_with(self.environment), capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise ProgramError(f"kapda {words[0]} ended with {ran.returncode}: {ran.stderr}")
        return ran.stdout


@contextmanager
def development_stack() -> Iterator[Stack]:
    """Run the stack on fixed ports, its data in `.run`; this process's KAPDA_ variables win over what is made up.

    Secrets stay with the data: the seed's passwords are only written with the seed. The emulator forgets its books when
    it stops, so it makes other ids each time: the database knows the old ones.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    fresh = {"KAPDA_EMULATOR_SEED": str(secrets.randbelow(2**31))}
    kept = _kept_secrets(DEVELOPMENT_FOLDER / "secrets.json")
    with running_stack(DEVELOPMENT_FOLDER, {**kept, **DEVELOPMENT_ADDRESSES, **fresh, **own}) as stack:
        yield stack


@contextmanager
def demo_stack() -> Iterator[Stack]:
    """Run the stack on free ports with its data in a temporary folder, untouched by this process's KAPDA_ variables."""
    with tempfile.TemporaryDirectory(prefix="kapda-demo-") as folder, running_stack(Path(folder), _IMPATIENT) as stack:
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
    durations: dict[str, float] = {}
    with signals_leave_the_block(), ExitStack() as cleanup:
        environment = {**cleanup.enter_context(reserved_addresses()), **_secrets(), **_CONSTANTS, **given}
        if "KAPDA_DATABASE_URL" not in environment:
            with _timed(durations, "postgresql"):
                services["postgresql"] = postgres = cleanup.enter_context(EmbeddedPostgres(folder / "postgresql"))
                postgres.create_database(_DATABASE)
            environment["KAPDA_DATABASE_URL"] = postgres.url(_DATABASE)
        if "KAPDA_REDIS_URL" not in environment:
            with _timed(durations, "valkey"):
                services["valkey"] = valkey = cleanup.enter_context(EmbeddedValkey(folder / "valkey"))
            environment["KAPDA_REDIS_URL"] = valkey.url()
        environment.setdefault("KAPDA_MAIL_FOLDER", str((folder / "mailbox").resolve()))
        programs = _own_programs(environment)
        if "KAPDA_RAZORPAY_BASE_URL" not in environment:
            programs = (_emulator(environment), *programs)
            environment["KAPDA_RAZORPAY_BASE_URL"] = f"http://{environment['KAPDA_EMULATOR_ADDRESS']}"
        supervisor = Supervisor(
            tasks=(Task("seed", (*_KAPDA, "seed", "--migrate")),),
            programs=programs,
            services=services,
            environment=_with(environment),
            logs=folder / "logs",
        )
        cleanup.enter_context(supervisor)
        yield Stack(supervisor, environment, {**durations, **supervisor.durations})


def _with(given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with these KAPDA_ variables in the place of its own."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}, **given}


@contextmanager
def reserved_addresses() -> Iterator[dict[str, str]]:
    """Choose free addresses for kapda's processes, and keep other stacks from them inside the block.

    It takes seconds until the processes bind them. A socket that is bound and never listens lets them (every server sets
    SO_REUSEADDR), but not `free_port`, which asks for a port of its own.
    """
    with ExitStack() as kept:
        addresses = {}
        for name in DEVELOPMENT_ADDRESSES:
            port = free_port()
            reservation = kept.enter_context(socket.socket())
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reservation.bind(("127.0.0.1", port))
            addresses[name] = f"127.0.0.1:{port}"
        yield addresses


def _secrets() -> dict[str, str]:
    """Return fresh secrets; nothing that could be taken for a real account's."""
    return {
        "KAPDA_RAZORPAY_KEY_ID": f"rzp_test_{secrets.token_hex(7)}",
        "KAPDA_RAZORPAY_KEY_SECRET": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_WEBHOOK_SECRETS": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_ACCOUNT_ID": f"acc_{secrets.token_hex(7)}",
        "KAPDA_JWT_KEYS": f"{secrets.token_hex(4)}:{secrets.token_urlsafe(48)}",
        "KAPDA_PAGE_TOKEN_KEY": secrets.token_urlsafe(32),
        "KAPDA_SIGNING_KEY": secrets.token_urlsafe(32),
        "KAPDA_LINK_KEY": secrets.token_urlsafe(32),
        "KAPDA_SEED_ADMIN_PASSWORD": secrets.token_urlsafe(24),
        "KAPDA_SEED_DESIGNER_PASSWORD": secrets.token_urlsafe(24),
    }


def _kept_secrets(file: Path) -> dict[str, str]:
    """Return the secrets in `file`, which is made for its owner alone where it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as new:
        json.dump(_secrets(), new, indent=2)
    # One made by an older version may lack some.
    return {**_secrets(), **json.loads(file.read_text())}


@contextmanager
def _timed(durations: dict[str, float], name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    durations[name] = time.monotonic() - start


def _emulator(environment: dict[str, str]) -> Program:
    address = environment["KAPDA_EMULATOR_ADDRESS"]
    environment.setdefault(
        "KAPDA_EMULATOR_WEBHOOK_URL", f"http://{environment['KAPDA_WEBHOOKS_ADDRESS']}{WEBHOOK_PATH}"
    )
    return Program(
        "emulator",
        (*_KAPDA, "emulator", "--address", address),
        partial(http_is_ready, f"http://{address}/emulator/health"),
        needs_tasks=False,
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
