"""`kapda api-key ...` on a real database: the same keys as the RPCs', the text told once, every deed in the audit log."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from uuid import uuid4

import asyncpg
import pytest

from kapda.entrypoints.settings import Settings
from tests.shop.shop import settings_for


@pytest.fixture
def environment(database_url: str, redis_url: str) -> Mapping[str, str]:
    """What the command finds around it."""
    return environment_of(settings_for(database_url, redis_url, "http://127.0.0.1:1"))


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The settings as variables."""
    variables = {}
    for name, value in settings.model_dump(exclude_unset=True).items():
        values = value if isinstance(value, list) else [value]
        told = [one.get_secret_value() if hasattr(one, "get_secret_value") else str(one) for one in values]
        variables[f"KAPDA_{name.upper()}"] = ",".join(told)
    outer = {name: value for name, value in os.environ.items() if not name.startswith("KAPDA_")}
    return {**outer, **variables}


def kapda(
    environment: Mapping[str, str], *words: str, status: int = 0, told: str = ""
) -> "subprocess.CompletedProcess[str]":
    """One run of the command."""
    command = [sys.executable, "-m", "kapda.entrypoints.cli.main", *words]
    done = subprocess.run(command, env=environment, input=told, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


async def test_a_key_is_issued_listed_rotated_and_revoked_by_an_operator(
    environment: Mapping[str, str], database_url: str
) -> None:
    why = ("--reason", "the warehouse counts by machine")
    scopes = ("--scope", "INVENTORY_READ", "--scope", "INVENTORY_WRITE")
    issued = json.loads(kapda(environment, "api-key", "issue", "warehouse", *scopes, "--days", "90", *why).stdout)
    assert issued["key_text"].startswith(f"kapda_{issued['prefix']}_")
    rotated = json.loads(kapda(environment, "api-key", "rotate", issued["id"], "--overlap-hours", "1", *why).stdout)
    assert (rotated["service_id"], rotated["scopes"]) == (issued["service_id"], issued["scopes"])
    revoked = json.loads(kapda(environment, "api-key", "revoke", rotated["id"], *why).stdout)
    assert revoked["revoked_at"] is not None

    listed = kapda(environment, "api-key", "list").stdout
    newest, oldest = (json.loads(line) for line in listed.splitlines())
    assert (newest["id"], oldest["id"], oldest["replaced_by"]) == (rotated["id"], issued["id"], rotated["id"])
    for told in (issued, rotated):
        assert told["key_text"] not in listed

    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT * FROM audit_entries ORDER BY at, id")
    finally:
        await connection.close()
    assert [row["action"] for row in rows] == ["API_KEY_ISSUED", "API_KEY_ROTATED", "API_KEY_REVOKED"]
    assert {(row["actor_kind"], row["reason"]) for row in rows} == {("operator", why[1])}
    assert len({row["request_id"] for row in rows}) == 3


def test_a_refusal_is_told_by_its_reason_and_ends_with_1(environment: Mapping[str, str]) -> None:
    refused = kapda(environment, "api-key", "revoke", str(uuid4()), "--reason", "lost", status=1)
    assert refused.stderr.startswith("API_KEY_NOT_FOUND: ")
    assert "Traceback" not in refused.stderr
