"""Who stands before the server: they sign up, are given their roles, and sign in again when an attack threw them out."""

from typing import Any
from uuid import UUID, uuid4

import grpc

from kapda.api.common.v1.api_scope_pb2 import ApiScope
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKeyCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.cli.signer import Signer
from tests.attacks.stage import GUEST, NOBODY, PASSWORD, ROLES, SERVICE, Stage
from tests.fakes.catalog_builder import LOOM, PRESS

_HOUSES = {"loom": LOOM, "press": PRESS}
_API_KEY = "x-kapda-api-key"


async def enter(stage: Stage) -> None:
    """Everybody, for the first time."""
    await stage.shop.variants(4, pieces=500, limit=10)
    await stage.shop.sql(
        "UPDATE products SET designer_id = :press WHERE id IN (SELECT id FROM products ORDER BY id LIMIT 1)",
        press=PRESS.id,
    )
    for caller in (*ROLES, GUEST, SERVICE):
        await come_back(stage, caller)


async def come_back(stage: Stage, caller: str) -> None:
    """Be signed in again, whatever was ended, taken away or deleted meanwhile."""
    match caller:
        case "guest":
            made: Any = await stage.ask("CreateGuestCart", NOBODY)
            stage.metadata[GUEST] = (("x-kapda-guest-cart", made.guest_token),)
        case "service":
            await _be_a_service(stage)
        case _:
            try:
                await _sign_in(stage, caller)
            except (KeyError, grpc.aio.AioRpcError):
                await sign_up(stage, caller)
                await _sign_in(stage, caller)


async def sign_up(stage: Stage, caller: str) -> None:
    """A new account, for there was none or it was deleted; a house keeps its people."""
    email = f"{caller}-{uuid4().hex[:8]}@example.com"
    made: Any = await stage.ask("SignUp", NOBODY, email=email, password=PASSWORD, display_name=caller)
    stage.users[caller], stage.emails[caller] = UserId(UUID(made.user.id)), email
    stage.known.learn(caller, "email", email)
    if caller in _HOUSES:
        await stage.shop.sql(
            "INSERT INTO designer_members (designer_id, user_id, created_at) VALUES (:house, :user, now())",
            house=_HOUSES[caller].id,
            user=stage.users[caller],
        )


async def _sign_in(stage: Stage, caller: str) -> None:
    # A role and a status that admins gave are taken back behind the server's back: this is not what is being attacked.
    await stage.shop.sql(
        "UPDATE users SET role = :role, status = 'active' WHERE id = :id AND status <> 'deleted'",
        role=ROLES[caller].value,
        id=stage.users[caller],
    )
    logged_in: Any = await stage.ask("LogIn", NOBODY, email=stage.emails[caller], password=PASSWORD)
    stage.metadata[caller] = (("authorization", f"Bearer {logged_in.tokens.access_token}"),)
    stage.known.learn(caller, "refresh_token", logged_in.tokens.refresh_token)
    if ROLES[caller] is Role.ADMIN:
        stage.signers[caller] = await signer(stage, stage.users[caller])


async def signer(stage: Stage, user_id: UserId) -> Signer:
    """A signing key for an admin or a service, as an operator makes one."""
    command = IssueSigningKeyCommand(Occasion(OPERATOR, "the-cast", "attacks"), None, user_id)
    issued = await stage.shop.container.issue_signing_key().execute(command)
    return Signer(issued.key.id, user_id, issued.secret)


async def _be_a_service(stage: Stage) -> None:
    """A service that may do everything that services may, and so sees what any of them sees."""
    await come_back(stage, "admin")
    scopes = [number for number in ApiScope.values() if number != 0]
    made: Any = await stage.ask("IssueApiKey", "admin", service_name="robot", scopes=scopes, reason="attacks")
    stage.metadata[SERVICE] = ((_API_KEY, made.key_text),)
    stage.signers[SERVICE] = await signer(stage, UserId(UUID(made.api_key.service_id)))
