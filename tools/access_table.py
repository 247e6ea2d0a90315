"""Writes docs/access.md from the contract: `python -m tools.access_table generate | check`.

The table says for every method whom it lets in. `check` refuses a table that is not what the contract says now; a test
reads the table and tries every line of it on a server (tests/access).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor

from kapda.api.common.v1 import access_pb2
from kapda.domain.identity.user import Role
from kapda.entrypoints.grpc.access_rules import EVERYBODY, AccessRule, read_rules
from kapda.entrypoints.grpc.services import SERVICES

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "access.md"
PEOPLE = (Role.CUSTOMER, Role.DESIGNER, Role.BRAND, Role.ADMIN)
COLUMNS = ("method", "nobody", "guest", *(role.value for role in PEOPLE), "service", "owned", "signed")
YES = "yes"
_HEAD = """# Who may call what

Made from the contract by `make proto`; never edited. Whom a method lets in is declared beside it
(`kapda.api.common.v1.access`); what is not declared is refused, and a server does not start with a method that declares
nothing. `tests/access` tries every line on a server.

- **nobody** has neither an access token nor anything else; **guest** has the token of a guest cart. Where nobody is let
  in, no token is looked at, not even a bad one.
- **service** has an API key with the scope that stands in the column; where none stands the method is closed to API keys.
- **owned**: works on things that have an owner; another's thing is answered exactly like one that does not exist.
- **signed**: the request must be signed besides ([signed-requests.md](signed-requests.md)): everybody's, or that of the
  roles that stand there.
"""


class AccessTableError(Exception):
    """The table is not what the contract says."""


def lines() -> Iterator[str]:
    """The document, line by line."""
    yield from _HEAD.splitlines()
    for service in SERVICES:
        rules = read_rules([service.descriptor])
        yield ""
        yield f"## {service.descriptor.name}"
        yield ""
        yield _row(COLUMNS)
        yield _row(tuple("---" for _ in COLUMNS))
        for method in service.descriptor.methods:
            yield _row(_cells(method, rules[f"/{service.descriptor.full_name}/{method.name}"]))


def document() -> str:
    """The whole of it."""
    return "\n".join(lines()) + "\n"


def check() -> None:
    """Refuse a table that is stale. Raises AccessTableError."""
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != document():
        raise AccessTableError("docs/access.md is stale (run `python -m tools.access_table generate`)")


def _cells(method: MethodDescriptor, rule: AccessRule) -> tuple[str, ...]:
    owned = method.GetOptions().Extensions[access_pb2.access].owned
    return (
        method.name,
        _yes(rule.public),
        _yes(rule.public or rule.guests),
        *(_yes(rule.public or role in rule.roles) for role in PEOPLE),
        YES if rule.public else rule.scope.value if rule.scope is not None else "",
        _yes(owned),
        YES if rule.signed_by == EVERYBODY else ", ".join(role.value for role in PEOPLE if role in rule.signed_by),
    )


def _yes(value: bool) -> str:
    return YES if value else ""


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    match arguments:
        case ["generate"]:
            DOCUMENT.write_text(document(), encoding="utf-8")
        case ["check"]:
            try:
                check()
            except AccessTableError as error:
                sys.exit(str(error))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
