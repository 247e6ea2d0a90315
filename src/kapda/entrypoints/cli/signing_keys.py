"""`kapda signing-key ...` and `kapda sign`: who may sign requests, and signing one for grpcurl."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from kapda.entrypoints.cli.running import run
from kapda.entrypoints.settings import Settings

SIGN_WITH = "KAPDA_SIGN_WITH"

app = typer.Typer(name="signing-key", help="Keys that admins and services sign requests with.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="why, for the audit log")]


@app.command()
def issue(user_id: Annotated[UUID, typer.Argument(help="the admin's or the service's id")], reason: Reason) -> None:
    """Let an admin or a service sign requests, and print the secret as `sign_with`: this once."""
    from kapda.entrypoints.key_chores import issue_signing_key  # noqa: PLC0415  (each command loads only what it runs)

    async def process(settings: Settings) -> None:
        await issue_signing_key(settings, user_id, reason)

    run(process)


@app.command("list")
def list_keys() -> None:
    """Print every key, one JSON object a line, the newest first."""
    from kapda.entrypoints.key_chores import list_signing_keys  # noqa: PLC0415  (as above)

    run(list_signing_keys)


@app.command()
def revoke(key_id: UUID, reason: Reason) -> None:
    """End a key at once."""
    from kapda.entrypoints.key_chores import revoke_signing_key  # noqa: PLC0415  (as above)

    async def process(settings: Settings) -> None:
        await revoke_signing_key(settings, key_id, reason)

    run(process)


def sign(
    method: Annotated[str, typer.Argument(help="such as kapda.api.orders.v1.OrderService/RefundOrder")],
    sign_with: Annotated[str, typer.Option(envvar=SIGN_WITH, help="as `kapda signing-key issue` printed it")],
) -> None:
    """Sign the request that stands as JSON on stdin, and print grpcurl's options for it: good once, for five minutes.

    It needs no server and no settings. grpcurl -d "$JSON" $(printf %s "$JSON" | kapda sign METHOD) ADDRESS METHOD
    """
    from kapda.entrypoints.cli.signer import Signer, SigningError, encoded  # noqa: PLC0415  (as above)

    try:
        headers = Signer.parse(sign_with).headers(f"/{method}", encoded(method, sys.stdin.read()))
    except SigningError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    typer.echo(" ".join(f"-H {name}:{value}" for name, value in headers))
