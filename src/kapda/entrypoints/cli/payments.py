"""`kapda payments ...`: what somebody does by hand about payments."""

import os
import sys
from typing import Final

import typer
import uvloop

KEY_ID: Final = "KAPDA_VERIFY_RAZORPAY_KEY_ID"
KEY_SECRET: Final = "KAPDA_VERIFY_RAZORPAY_KEY_SECRET"  # noqa: S105  (a variable's name)
# Where nobody looks at a terminal, the table has room for a whole line.
_WIDTH: Final = 150

app = typer.Typer(name="payments", help="Payments and the gateway behind them.", no_args_is_help=True)


@app.callback()
def payments() -> None:
    """Keep the group a group while it has one command."""


@app.command("verify-gateway")
def verify_gateway() -> None:
    """Run the gateway's contract on the emulator, and on Razorpay's test mode when keys are given.

    Set KAPDA_VERIFY_RAZORPAY_KEY_ID and KAPDA_VERIFY_RAZORPAY_KEY_SECRET. Exit status: 0 both parts ran and passed, 1 a
    check failed, 2 the keys are unfit, 3 all that ran passed, but Razorpay itself was NOT RUN.
    """
    from rich.console import Console  # noqa: PLC0415  (each command loads only what it runs)

    from kapda.entrypoints.cli.gateway_report import ExitStatus, show, status_of  # noqa: PLC0415  (as above)
    from kapda.entrypoints.verify_gateway import account_of, verify  # noqa: PLC0415  (as above)

    try:
        account = account_of(os.environ.get(KEY_ID, ""), os.environ.get(KEY_SECRET, ""))
    except ValueError as error:
        typer.echo(f"kapda cannot verify the gateway: {error}", err=True)
        sys.exit(ExitStatus.UNFIT_KEYS)
    verification = uvloop.run(verify(account))
    show(verification, Console() if sys.stdout.isatty() else Console(width=_WIDTH))
    sys.exit(status_of(verification))
