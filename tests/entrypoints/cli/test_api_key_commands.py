"""`kapda api-key`, `signing-key` and `sign` on a real database: the same keys as the RPCs', told once, all audited."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from kapda.domain.identity.signing import Signature, SignedCall
from kapda.domain.identity.use_cases.verify_signature import VerifySignatureCommand
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.cli.signer import encoded
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
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


async def test_an_operator_lets_an_admin_sign_and_the_admin_signs(
    environment: Mapping[str, str], database_url: str
) -> None:
    admin = str(uuid4())
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            """INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
               VALUES ($1, 'a@example.in', 'a@example.in', 'Admin', '-', 'admin', now(), now())""",
            admin,
        )
    finally:
        await connection.close()
    why = ("--reason", "runs the refunds")
    issued = json.loads(kapda(environment, "signing-key", "issue", admin, *why).stdout)
    listed = kapda(environment, "signing-key", "list").stdout
    assert json.loads(listed)["id"] == issued["id"]
    assert issued["sign_with"] not in listed

    method = "kapda.api.orders.v1.OrderService/RefundOrder"
    request = json.dumps(
        {"request_id": str(uuid4()), "order_id": str(uuid4()), "shipping_minor": 100, "reason": "late"}
    )
    anywhere = {name: value for name, value in environment.items() if not name.startswith("KAPDA_")}
    printed = kapda({**anywhere, "KAPDA_SIGN_WITH": issued["sign_with"]}, "sign", method, told=request).stdout
    headers = dict(part.split(":") for part in printed.replace("-H ", "").split())
    assert headers["x-kapda-signing-key"] == issued["id"]

    signing_key = SecretStr(environment["KAPDA_SIGNING_KEY"])
    settings = settings_for(database_url, environment["KAPDA_REDIS_URL"], "http://127.0.0.1:1")
    container = Container(settings=settings.model_copy(update={"signing_key": signing_key}))
    try:
        call = SignedCall(
            f"/{method}",
            encoded(method, request),
            headers["x-kapda-timestamp"],
            headers["x-kapda-nonce"],
            UserId(UUID(admin)),
        )
        told = Signature(issued["id"], call.timestamp, call.nonce, headers["x-kapda-signature"])
        proof = await container.verify_signature().execute(VerifySignatureCommand(call, told))
    finally:
        await close_container(container)
    assert str(proof.key_id) == issued["id"]
    assert json.loads(kapda(environment, "signing-key", "revoke", issued["id"], *why).stdout)["revoked_at"] is not None


@pytest.mark.parametrize(
    ("method", "told", "sign_with", "complaint"),
    [
        ("kapda.api.orders.v1.OrderService/Steal", "{}", f"{uuid4()}:{uuid4()}:text", "no method"),
        ("kapda.api.orders.v1.OrderService/RefundOrder", "[]", f"{uuid4()}:{uuid4()}:text", "no RefundOrderRequest"),
        ("kapda.api.orders.v1.OrderService/RefundOrder", "{}", "text", "what to sign with"),
    ],
    # Of their own: the tests run in several processes, which must agree on their names.
    ids=["unknown method", "not its message", "nothing to sign with"],
)
def test_what_cannot_be_signed_is_said(method: str, told: str, sign_with: str, complaint: str) -> None:
    refused = kapda({**os.environ, "KAPDA_SIGN_WITH": sign_with}, "sign", method, told=told, status=2)
    assert complaint in refused.stderr
    assert (refused.stdout, "Traceback" in refused.stderr) == ("", False)
