"""`kapda create-admin` on a real database: the first admin, once, by whoever has the machine's shell."""

import json
from collections.abc import Mapping

import asyncpg
import pytest

from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
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
    again = json.loads(asked.splitlines()[-1])
    for name in ("id", "email", "role", "created_at"):
        assert again[name] == made[name]
    assert (made["email"], made["role"]) == ("meera@example.in", "admin")
    assert (made["outcome"], made["password_set"]) == ("created", True)
    assert (again["outcome"], again["password_set"], "sign_with" in again) == ("unchanged", False, False)

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


async def test_who_signed_up_with_the_address_first_is_no_admin_until_it_is_confirmed(
    environment: Mapping[str, str], database_url: str, redis_url: str
) -> None:
    with_password = {**environment, "KAPDA_ADMIN_PASSWORD": PASSWORD}
    container = Container(settings=settings_for(database_url, redis_url, "http://127.0.0.1:1"))
    try:
        first = SignUpCommand("meera@example.in", "strangers-own-lamp-77", "Meera Nair")
        stranger = (await container.sign_up().execute(first)).user.id
    finally:
        await close_container(container)
    refused = kapda(with_password, "create-admin", "meera@example.in", status=1)
    assert refused.stderr.startswith("EMAIL_UNCONFIRMED: ")

    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT role FROM users WHERE id = $1", stranger) == "customer"
        assert await connection.fetchval("SELECT count(*) FROM signing_keys") == 0
        await connection.execute("UPDATE users SET email_confirmed_at = created_at WHERE id = $1", stranger)
    finally:
        await connection.close()
    promoted = json.loads(kapda(with_password, "create-admin", "meera@example.in").stdout)
    assert (promoted["id"], promoted["role"]) == (str(stranger), "admin")
    assert (promoted["outcome"], promoted["password_set"]) == ("promoted", False)


def test_a_common_password_is_told_and_makes_nobody(environment: Mapping[str, str]) -> None:
    refused = kapda({**environment, "KAPDA_ADMIN_PASSWORD": "Password1"}, "create-admin", "meera@example.in", status=1)
    assert refused.stderr.startswith("PASSWORD_TOO_WEAK: ")
    assert "Password1" not in refused.stderr
