"""The `kapda` command: one subcommand a process or chore."""

import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
import uvloop

from kapda.entrypoints.cli.payments import app as payments
from kapda.entrypoints.settings import Settings, SettingsError, load_settings
from kapda.entrypoints.telemetry import configure_logging

app = typer.Typer(
    name="kapda",
    help="The commerce core of The Kapda Co.",
    no_args_is_help=True,
    add_completion=False,
    # A plain traceback: it goes to logs, which have no room for boxes, and it shows no variables.
    pretty_exceptions_enable=False,
)
app.add_typer(payments)


def _run(process: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a process's coroutine with settings from the environment; unfit settings end it with status 2."""
    try:
        settings = load_settings()
    except SettingsError as error:
        typer.echo(f"kapda cannot start:\n{error}", err=True)
        sys.exit(2)
    configure_logging(settings.log_level)
    uvloop.run(process(settings))


@app.command()
def serve() -> None:
    """Serve gRPC until SIGTERM."""
    from kapda.entrypoints.lifecycle import run_server  # noqa: PLC0415  (each command loads only what it runs)

    _run(run_server)


@app.command()
def webhooks() -> None:
    """Take in Razorpay's webhooks over HTTP until SIGTERM."""
    from kapda.entrypoints.lifecycle import run_webhooks  # noqa: PLC0415  (as above)

    _run(run_webhooks)


@app.command()
def worker() -> None:
    """Work on jobs and sweeps until SIGTERM."""
    from kapda.entrypoints.lifecycle import run_worker  # noqa: PLC0415  (as above)

    _run(run_worker)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to this version."""
    from kapda.entrypoints.chores import run_migrations  # noqa: PLC0415  (as above)

    _run(run_migrations)


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

    _run(process)


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

    _run(process)


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
