"""The `kapda` command: one subcommand a process or chore."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer
import uvloop

from kapda.entrypoints.addresses import host_and_port
from kapda.entrypoints.cli.api_keys import app as api_keys
from kapda.entrypoints.cli.houses import app as houses
from kapda.entrypoints.cli.payments import app as payments
from kapda.entrypoints.cli.running import cannot_start, process_settings, run
from kapda.entrypoints.cli.signing_keys import app as signing_keys
from kapda.entrypoints.cli.signing_keys import sign
from kapda.entrypoints.settings import MAX_SERVE_WORKERS, Settings

app = typer.Typer(
    name="kapda",
    help="The commerce core of The Kapda Co.",
    no_args_is_help=True,
    add_completion=False,
    # A plain traceback: it goes to logs, which have no room for boxes, and it shows no variables.
    pretty_exceptions_enable=False,
)
app.add_typer(payments)
app.add_typer(api_keys)
app.add_typer(signing_keys)
app.add_typer(houses)
app.command()(sign)


@app.command()
def serve(
    workers: Annotated[
        int | None, typer.Option(min=1, max=MAX_SERVE_WORKERS, help="server processes on the port; KAPDA_SERVE_WORKERS")
    ] = None,
    share_port: Annotated[
        bool, typer.Option("--share-port", help="listen beside servers that share it too, such as those to be replaced")
    ] = False,
) -> None:
    """Serve gRPC until SIGTERM."""
    settings = process_settings()
    count = workers or settings.serve_workers
    if count == 1:
        from kapda.entrypoints.lifecycle import run_server  # noqa: PLC0415  (each command loads only what it runs)

        uvloop.run(run_server(settings, share_port=share_port))
        return
    command = (sys.executable, "-m", "kapda.entrypoints.cli.main", "serve", "--workers", "1", "--share-port")
    sys.exit(_serve_from(command, count, settings, share_port=share_port))


def _serve_from(command: Sequence[str], count: int, settings: Settings, *, share_port: bool) -> int:
    from kapda.entrypoints.cli.server_processes import (  # noqa: PLC0415  (as above)
        DRAIN_SECONDS,
        PortTakenError,
        ServerProcesses,
        check_port_is_free,
    )

    if not share_port:
        try:
            check_port_is_free(*host_and_port(settings.grpc_address))
        except PortTakenError as error:
            cannot_start(error)

    async def keep_up() -> int:
        return await ServerProcesses(command, count, drain_seconds=settings.lame_duck_seconds + DRAIN_SECONDS).run()

    return uvloop.run(keep_up())


@app.command()
def webhooks() -> None:
    """Take in Razorpay's webhooks over HTTP until SIGTERM."""
    from kapda.entrypoints.lifecycle import run_webhooks  # noqa: PLC0415  (as above)

    run(run_webhooks)


@app.command()
def worker() -> None:
    """Work on jobs and sweeps until SIGTERM."""
    from kapda.entrypoints.lifecycle import run_worker  # noqa: PLC0415  (as above)

    run(run_worker)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to this version."""
    from kapda.entrypoints.chores import run_migrations  # noqa: PLC0415  (as above)

    run(run_migrations)


@app.command()
def seed(
    migrate_first: Annotated[bool, typer.Option("--migrate", help="bring the schema up to this version first")] = False,
) -> None:
    """Write the invented catalogue, unless it is there; refuses production."""
    from kapda.entrypoints.chores import run_migrations, run_seed  # noqa: PLC0415  (as above)

    async def process(settings: Settings) -> None:
        if migrate_first:
            await run_migrations(settings)
        await run_seed(settings)

    run(process)


@app.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(help="the admin's e-mail address")],
    name: Annotated[str, typer.Option(help="the name to go by, for a new account")] = "Admin",
    reason: Annotated[str, typer.Option(help="why, for the audit log")] = "made from the command line",
) -> None:
    """Make an admin, or one of whoever has an account with the address and has confirmed it; again changes nothing.

    The password of a new account comes from KAPDA_ADMIN_PASSWORD, or is asked for. An account that exists keeps its own.
    """
    from kapda.entrypoints import account_chores  # noqa: PLC0415  (as above)

    password = os.environ.get("KAPDA_ADMIN_PASSWORD") or typer.prompt(
        "password", hide_input=True, confirmation_prompt=True, err=True
    )
    run(partial(account_chores.create_admin, email=email, name=name, password=password, reason=reason))


@app.command()
def emulator(
    address: Annotated[str, typer.Option(help="host:port to listen on")] = "127.0.0.1:8083",
    webhook_url: Annotated[str, typer.Option(envvar="KAPDA_EMULATOR_WEBHOOK_URL")] = "",
    seed: Annotated[int, typer.Option(envvar="KAPDA_EMULATOR_SEED")] = 1,
) -> None:
    """Stand in for Razorpay, with the same keys and secrets; refuses production."""
    from kapda.entrypoints.emulator import run_emulator  # noqa: PLC0415  (as above)

    async def process(settings: Settings) -> None:
        await run_emulator(settings, address, webhook_url, seed)

    run(process)


@app.command()
def dev() -> None:
    """Keep the whole stack running on this machine and print how to talk to it; Ctrl-C stops it."""
    from kapda.entrypoints.cli.dev import run_dev  # noqa: PLC0415  (as above)

    sys.exit(run_dev())


@app.command()
def demo() -> None:
    """Start the whole stack, drive purchases through it, and recompute the promises; exit 0 only when all hold."""
    from kapda.entrypoints.cli.demo import run_demo  # noqa: PLC0415  (as above)

    sys.exit(run_demo())


if __name__ == "__main__":
    app()
