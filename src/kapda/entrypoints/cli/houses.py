"""`kapda house ...`: who acts for a designer's house, by whoever has the machine's shell."""

from functools import partial
from typing import Annotated
from uuid import UUID

import typer

from kapda.entrypoints.cli.running import run

app = typer.Typer(name="house", help="Members of designers' houses.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="the e-mail address of the account")]
House = Annotated[UUID, typer.Option(help="the id of the house, as products show it")]
Reason = Annotated[str, typer.Option(help="why, for the audit log")]


@app.command("add-member")
def add_member(email: Email, house: House, reason: Reason) -> None:
    """Have a designer or a brand act for the house, from their next call on; again changes nothing."""
    from kapda.entrypoints import house_chores  # noqa: PLC0415  (only what a command runs)

    run(partial(house_chores.add_member, email=email, house=house, reason=reason))


@app.command("remove-member")
def remove_member(email: Email, house: House, reason: Reason) -> None:
    """Have somebody act for the house no longer, from their next call on; again changes nothing."""
    from kapda.entrypoints import house_chores  # noqa: PLC0415  (as above)

    run(partial(house_chores.remove_member, email=email, house=house, reason=reason))
