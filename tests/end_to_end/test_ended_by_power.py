"""What a new password, a reset and an admin end, over the real wire: access and refresh tokens of before."""

import asyncio
import json
from dataclasses import dataclass
from uuid import uuid4

import grpc
import pytest

from kapda.api.common.v1 import role_pb2
from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1 import password_service_pb2 as passwords
from kapda.api.identity.v1 import user_service_pb2 as users
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.password_service_pb2_grpc import PasswordServiceStub
from kapda.api.identity.v1.user_pb2 import SessionTokens
from kapda.api.identity.v1.user_service_pb2_grpc import UserServiceStub
from kapda.entrypoints.cli.signer import Signer
from tests.shop.mailbox import mail_to, token_in
from tests.shop.wire import CALL_SECONDS, PASSWORD, Caller, Wire, reason_of

ANOTHER_PASSWORD = "monsoon-lantern-58-tamarind"


@dataclass(frozen=True)
class Somebody:
    """Somebody with two devices. Every method that is refused answers with the reason, else with nothing."""

    wire: Wire
    email: str
    here: SessionTokens
    elsewhere: SessionTokens

    async def log_in(self, password: str) -> SessionTokens:
        request = identity.LogInRequest(email=self.email, password=password)
        return (await IdentityServiceStub(self.wire.channel).LogIn(request, timeout=CALL_SECONDS)).tokens

    async def may_not_log_in(self, password: str) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await self.log_in(password)
        return reason_of(refusal.value)

    async def calls(self, tokens: SessionTokens) -> identity.GetMeResponse:
        return await Caller(self.wire, tokens.access_token).me()

    async def refreshes(self, tokens: SessionTokens) -> SessionTokens:
        request = identity.RefreshSessionRequest(refresh_token=tokens.refresh_token)
        return (await IdentityServiceStub(self.wire.channel).RefreshSession(request, timeout=CALL_SECONDS)).tokens

    async def check_over(self, tokens: SessionTokens) -> None:
        """Neither token of the pair is of any use."""
        with pytest.raises(grpc.aio.AioRpcError) as called:
            await self.calls(tokens)
        with pytest.raises(grpc.aio.AioRpcError) as refreshed:
            await self.refreshes(tokens)
        assert [reason_of(refusal.value) for refusal in (called, refreshed)] == ["SESSION_REVOKED"] * 2


@pytest.fixture
async def somebody(wire: Wire) -> Somebody:
    email = f"{uuid4().hex}@example.com"
    request = identity.SignUpRequest(email=email, password=PASSWORD, display_name="Asha")
    stub = IdentityServiceStub(wire.channel)
    here = (await stub.SignUp(request, timeout=CALL_SECONDS)).tokens
    log_in = identity.LogInRequest(email=email, password=PASSWORD)
    return Somebody(wire, email, here, (await stub.LogIn(log_in, timeout=CALL_SECONDS)).tokens)


async def test_a_new_password_leaves_the_session_that_chose_it_and_ends_the_other(somebody: Somebody) -> None:
    request = passwords.ChangePasswordRequest(old_password=PASSWORD, new_password=ANOTHER_PASSWORD)
    metadata = Caller(somebody.wire, somebody.here.access_token).metadata
    await PasswordServiceStub(somebody.wire.channel).ChangePassword(request, metadata=metadata, timeout=CALL_SECONDS)

    await somebody.check_over(somebody.elsewhere)
    await somebody.calls(somebody.here)
    await somebody.calls(await somebody.refreshes(somebody.here))
    assert await somebody.may_not_log_in(PASSWORD) == "CREDENTIALS_INVALID"
    await somebody.calls(await somebody.log_in(ANOTHER_PASSWORD))


async def test_a_forgotten_password_is_reset_by_the_mailed_link_and_ends_every_session(somebody: Somebody) -> None:
    stub = PasswordServiceStub(somebody.wire.channel)
    await stub.RequestPasswordReset(passwords.RequestPasswordResetRequest(email=somebody.email), timeout=CALL_SECONDS)
    token = token_in(await mail_to(somebody.wire, somebody.email, "Choose a new password"))
    reset = passwords.ResetPasswordRequest(token=token, new_password=ANOTHER_PASSWORD)
    await stub.ResetPassword(reset, timeout=CALL_SECONDS)

    await somebody.check_over(somebody.here)
    await somebody.check_over(somebody.elsewhere)
    assert await somebody.may_not_log_in(PASSWORD) == "CREDENTIALS_INVALID"
    await somebody.calls(await somebody.log_in(ANOTHER_PASSWORD))
    await mail_to(somebody.wire, somebody.email, "Your password was changed")


async def test_another_role_ends_every_session_and_counts_from_the_next_log_in(somebody: Somebody) -> None:
    wire, admin = somebody.wire, await somebody.wire.admin()
    made = await asyncio.to_thread(
        wire.stack.chore, "signing-key", "issue", (await admin.me()).user.id, "--reason", "an end-to-end test"
    )
    signer = Signer.parse(json.loads(made)["sign_with"])
    user = (await somebody.calls(somebody.here)).user
    link = token_in(await mail_to(wire, somebody.email, "Confirm your e-mail address"))
    await PasswordServiceStub(wire.channel).ConfirmEmail(
        passwords.ConfirmEmailRequest(token=link),
        metadata=Caller(wire, somebody.here.access_token).metadata,
        timeout=CALL_SECONDS,
    )
    request = users.SetUserRoleRequest(
        request_id=str(uuid4()), user_id=user.id, role=role_pb2.ROLE_DESIGNER, reason="joined a house"
    )
    signature = signer.headers("/kapda.api.identity.v1.UserService/SetUserRole", request.SerializeToString())
    await UserServiceStub(wire.channel).SetUserRole(
        request, metadata=(*admin.metadata, *signature), timeout=CALL_SECONDS
    )

    await somebody.check_over(somebody.here)
    await somebody.check_over(somebody.elsewhere)
    again = await somebody.log_in(PASSWORD)
    assert (await somebody.calls(again)).user.role == role_pb2.ROLE_DESIGNER


async def test_an_admin_ends_every_session_of_somebody_who_may_come_again(somebody: Somebody) -> None:
    admin, user = await somebody.wire.admin(), (await somebody.calls(somebody.here)).user
    request = users.EndUserSessionsRequest(request_id=str(uuid4()), user_id=user.id, reason="lost the telephone")
    await UserServiceStub(somebody.wire.channel).EndUserSessions(request, metadata=admin.metadata, timeout=CALL_SECONDS)

    await somebody.check_over(somebody.here)
    await somebody.check_over(somebody.elsewhere)
    await somebody.calls(await somebody.log_in(PASSWORD))


async def test_a_disabled_account_is_over_everywhere_and_lets_nobody_in(somebody: Somebody) -> None:
    admin, user = await somebody.wire.admin(), (await somebody.calls(somebody.here)).user
    request = users.DisableUserRequest(request_id=str(uuid4()), user_id=user.id, reason="sells what is not theirs")
    await UserServiceStub(somebody.wire.channel).DisableUser(request, metadata=admin.metadata, timeout=CALL_SECONDS)

    await somebody.check_over(somebody.here)
    await somebody.check_over(somebody.elsewhere)
    assert await somebody.may_not_log_in(PASSWORD) == "CREDENTIALS_INVALID"
