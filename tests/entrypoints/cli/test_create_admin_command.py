"""`kapda create-admin` on a real database: the first admin, once, by whoever has the machine's shell."""

import json
from collections.abc import Mapping

import asyncpg
import pytest

from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from tests.entrypoints.cli.test_api_key_commands import environment_of, kapda
from tests.shop.shop import settings_for

PASSWORD = "corridor-lantern-41-peacock"


@pytest.fixture
def environment(database_url: str, redis_url: str) -> Mapping[str, str]:
    """What the command finds around it."""
    return environment_of(settings_for(database_url, redis_url, "http://127.0.0.1:1"))


async def test_an_admin_is_made_once_and_can_sign_in(
    environment: Mapping[str, str], database_url: str, redis_url: str
) -> None:
    words = ("create-admin", "meera@example.in", "--name", "Meera Nair")
    made = json.loads(kapda({**environment, "KAPDA_ADMIN_PASSWORD": PASSWORD}, *words).stdout)
    asked = kapda(environment, *words, told=f"{PASSWORD}\n{PASSWORD}\n").stdout
    assert PASSWORD not in asked
    assert made["sign_with"].split(":")[1] == made["id"]
    assert json.loads(asked.splitlines()[-1]) == {name: value for name, value in made.items() if name != "sign_with"}
    assert (made["email"], made["role"]) == ("meera@example.in", "admin")

    container = Container(settings=settings_for(database_url, redis_url, "http://127.0.0.1:1"))
    try:
        begun = await container.log_in().execute(LogInCommand("meera@example.in", PASSWORD))
    finally:
        await close_container(container)
    assert str(begun.user.id) == made["id"]

    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT action, actor_kind, subject_id FROM audit_entries ORDER BY id")
    finally:
        await connection.close()
    assert [(row["action"], row["actor_kind"], str(row["subject_id"])) for row in rows] == [
        ("ADMIN_CREATED", "operator", made["id"]),
        ("SIGNING_KEY_ISSUED", "operator", made["sign_with"].split(":")[0]),
    ]


def test_a_common_password_is_told_and_makes_nobody(environment: Mapping[str, str]) -> None:
    refused = kapda({**environment, "KAPDA_ADMIN_PASSWORD": "Password1"}, "create-admin", "meera@example.in", status=1)
    assert refused.stderr.startswith("PASSWORD_TOO_WEAK: ")
    assert "Password1" not in refused.stderr
