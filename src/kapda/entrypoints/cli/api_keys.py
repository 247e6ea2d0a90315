"""`kapda api-key ...`: the keys of internal services, by whoever has the machine's shell.

It works on the database, through the same use cases as the RPCs; the audit log names the operator and the run.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from kapda.domain.identity.scope import Scope
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand
from kapda.domain.shared.ids import DesignerId
from kapda.entrypoints.cli.running import run
from kapda.entrypoints.settings import Settings

app = typer.Typer(name="api-key", help="API keys of internal services.", no_args_is_help=True)

# A century: longer than anybody keeps a key, and inside every calendar.
MAX_DAYS = 36_500

Reason = Annotated[str, typer.Option(help="why, for the audit log")]


@app.command()
def issue(
    name: Annotated[str, typer.Argument(help="the service's name")],
    scope: Annotated[list[Scope], typer.Option(help="what it may do; once for each")],
    reason: Reason,
    house: Annotated[UUID | None, typer.Option(help="the id of the one house it is for")] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=MAX_DAYS, help="how long it is good; until revoked where not given")
    ] = None,
) -> None:
    """Make a service and its first key, and print the key's text: this once."""
    from kapda.entrypoints.key_chores import by_operator, issue_api_key  # noqa: PLC0415  (only what a command runs)

    async def process(settings: Settings) -> None:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        only_house = None if house is None else DesignerId(house)
        command = IssueApiKeyCommand(by_operator(reason), None, name, frozenset(scope), only_house, expires_at)
        await issue_api_key(settings, command)

    run(process)


@app.command("list")
def list_keys() -> None:
    """Print every key, one JSON object a line, the newest first."""
    from kapda.entrypoints.key_chores import list_api_keys  # noqa: PLC0415  (as above)

    run(list_api_keys)


@app.command()
def rotate(
    key_id: UUID,
    reason: Reason,
    overlap_hours: Annotated[int, typer.Option(min=0, max=168, help="how long the old key goes on")] = 24,
) -> None:
    """Make a service's next key, and print its text: this once."""
    from kapda.entrypoints.key_chores import rotate_api_key  # noqa: PLC0415  (as above)

    async def process(settings: Settings) -> None:
        await rotate_api_key(settings, key_id, timedelta(hours=overlap_hours), reason)

    run(process)


@app.command()
def revoke(key_id: UUID, reason: Reason) -> None:
    """End a key at once."""
    from kapda.entrypoints.key_chores import revoke_api_key  # noqa: PLC0415  (as above)

    async def process(settings: Settings) -> None:
        await revoke_api_key(settings, key_id, reason)

    run(process)
