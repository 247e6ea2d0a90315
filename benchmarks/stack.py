"""Everything the bench measures, as processes of this machine: PostgreSQL, Valkey, the server and the worker."""

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import free_port
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.entrypoints.cli.probes import grpc_is_ready, http_is_ready
from kapda.entrypoints.cli.supervisor import Program, Supervisor, Task

ROOT: Final = Path(__file__).resolve().parent.parent
_DATABASE: Final = "kapda"
# Of a machine that others use as well; several servers start side by side.
_START_SECONDS: Final = 180.0
_STATEMENT_TIMES: Final = {"shared_preload_libraries": "pg_stat_statements"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The running processes, and what is needed to talk to them."""

    supervisor: Supervisor
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    grpc_address: str
    database_url: str
    key_secret: str
    admin_password: str

    def pids(self) -> dict[str, int]:
        """The process ids by name; PostgreSQL's is its first process."""
        found = {"postgresql": self.postgres.pid, "valkey": self.valkey.pid}
        return {**self.supervisor.pids, **{name: pid for name, pid in found.items() if pid is not None}}


@contextmanager
def running_stack(
    folder: Path, *, workers: int = 1, password_threads: int = 1, statement_times: bool = False
) -> Iterator[Stack]:
    """Start everything, the catalogue seeded, `workers` server processes; stop everything on leaving.

    PostgreSQL has its durable settings and nothing tuned. `statement_times` loads pg_stat_statements into it.
    """
    settings = _STATEMENT_TIMES if statement_times else {}
    with ExitStack() as cleanup:
        postgres = cleanup.enter_context(EmbeddedPostgres(folder / "postgresql", settings=settings))
        postgres.create_database(_DATABASE)
        valkey = cleanup.enter_context(EmbeddedValkey(folder / "valkey"))
        environment = {**_environment(postgres, valkey), "KAPDA_PASSWORD_THREADS": str(password_threads)}
        supervisor = Supervisor(
            tasks=(Task("seed", (sys.executable, "-m", "kapda.entrypoints.cli.main", "seed", "--migrate")),),
            programs=_programs(environment, workers),
            services={"postgresql": postgres, "valkey": valkey},
            environment=environment,
            logs=folder / "logs",
            start_timeout=_START_SECONDS,
        )
        cleanup.enter_context(supervisor)
        yield Stack(
            supervisor,
            postgres,
            valkey,
            environment["KAPDA_GRPC_ADDRESS"],
            environment["KAPDA_DATABASE_URL"],
            environment["KAPDA_RAZORPAY_KEY_SECRET"],
            environment["KAPDA_SEED_ADMIN_PASSWORD"],
        )


def _programs(environment: Mapping[str, str], workers: int) -> tuple[Program, ...]:
    command = (sys.executable, "-m", "benchmarks.processes")
    ready = f"http://{environment['KAPDA_WORKER_ADDRESS']}/api/ready"
    serve = (*command, "serve", "--workers", str(workers))
    return (
        Program("server", serve, partial(grpc_is_ready, environment["KAPDA_GRPC_ADDRESS"])),
        Program("worker", (*command, "worker"), partial(http_is_ready, ready)),
    )


def _environment(postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("KAPDA_")}
    return {
        **outer,
        # The processes run where their logs are, and this package is not installed; kapda is, but may be another copy of it.
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "KAPDA_ENVIRONMENT": "development",
        # The load comes from one address, and from few customers who do the work of many.
        "KAPDA_RATE_AUTH": "600000 per minute",
        "KAPDA_RATE_AUTH_NETWORK": "600000 per minute",
        "KAPDA_RATE_CALLER": "600000 per minute",
        "KAPDA_RATE_NETWORK": "600000 per minute",
        "KAPDA_LOG_LEVEL": "INFO",
        "KAPDA_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "KAPDA_WORKER_ADDRESS": f"127.0.0.1:{free_port()}",
        "KAPDA_DATABASE_URL": postgres.socket_url(_DATABASE),
        "KAPDA_REDIS_URL": valkey.url(),
        "KAPDA_JWT_KEYS": f"{secrets.token_hex(4)}:{secrets.token_urlsafe(48)}",
        "KAPDA_PAGE_TOKEN_KEY": secrets.token_urlsafe(32),
        "KAPDA_SIGNING_KEY": secrets.token_urlsafe(32),
        "KAPDA_LINK_KEY": secrets.token_urlsafe(32),
        "KAPDA_RAZORPAY_KEY_ID": f"rzp_test_{secrets.token_hex(7)}",
        "KAPDA_RAZORPAY_KEY_SECRET": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_WEBHOOK_SECRETS": secrets.token_urlsafe(24),
        "KAPDA_RAZORPAY_ACCOUNT_ID": f"acc_{secrets.token_hex(7)}",
        "KAPDA_SEED_ADMIN_PASSWORD": secrets.token_urlsafe(24),
        "KAPDA_SEED_DESIGNER_PASSWORD": secrets.token_urlsafe(24),
    }
