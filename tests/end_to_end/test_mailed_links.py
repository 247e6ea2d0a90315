"""Links in mails, from the call that has them sent to what following them changes, over the real wire."""

import json
from datetime import datetime
from uuid import uuid4

import grpc
import pytest

from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1 import password_service_pb2 as passwords
from kapda.api.identity.v1 import profile_service_pb2 as profiles
from kapda.api.identity.v1 import user_service_pb2 as users
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.password_service_pb2_grpc import PasswordServiceStub
from kapda.api.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
from kapda.api.identity.v1.user_service_pb2_grpc import UserServiceStub
from tests.shop.mailbox import mail_to, token_in
from tests.shop.wire import CALL_SECONDS, PASSWORD, Caller, Wire, reason_of


async def test_whoever_signs_up_confirms_the_address_by_the_link_in_the_mail(wire: Wire) -> None:
    email = f"{uuid4().hex}@example.com"
    request = identity.SignUpRequest(email=email, password=PASSWORD, display_name="Asha")
    signed_up = await IdentityServiceStub(wire.channel).SignUp(request, timeout=CALL_SECONDS)
    caller = Caller(wire, signed_up.tokens.access_token)
    mine = ProfileServiceStub(wire.channel)
    assert not signed_up.user.HasField("email_confirm_time")

    link = passwords.ConfirmEmailRequest(token=token_in(await mail_to(wire, email, "Confirm your e-mail address")))
    confirming = PasswordServiceStub(wire.channel).ConfirmEmail
    with pytest.raises(grpc.aio.AioRpcError) as reader_alone:
        await confirming(link, timeout=CALL_SECONDS)
    assert reader_alone.value.code() is grpc.StatusCode.UNAUTHENTICATED
    stranger = await wire.admin()
    with pytest.raises(grpc.aio.AioRpcError) as anothers:
        await confirming(link, metadata=stranger.metadata, timeout=CALL_SECONDS)
    assert reason_of(anothers.value) == "LINK_INVALID"
    await confirming(link, metadata=caller.metadata, timeout=CALL_SECONDS)

    me = (await caller.me()).user
    assert me.email_confirm_time.seconds >= signed_up.user.create_time.seconds
    profile = await mine.GetProfile(profiles.GetProfileRequest(), metadata=caller.metadata, timeout=CALL_SECONDS)
    assert profile.profile.email_confirm_time == me.email_confirm_time
    export = await mine.ExportMyData(profiles.ExportMyDataRequest(), metadata=caller.metadata, timeout=CALL_SECONDS)
    told = datetime.fromisoformat(json.loads(export.document)["account"]["email_confirmed_at"])
    assert told.timestamp() == pytest.approx(me.email_confirm_time.ToNanoseconds() / 1e9, abs=1e-5)
    admin = await wire.admin()
    seen = await UserServiceStub(wire.channel).GetUser(
        users.GetUserRequest(user_id=me.id), metadata=admin.metadata, timeout=CALL_SECONDS
    )
    assert seen.user.user == me

    with pytest.raises(grpc.aio.AioRpcError) as again:
        await confirming(link, metadata=caller.metadata, timeout=CALL_SECONDS)
    assert reason_of(again.value) == "LINK_INVALID"
    assert (await caller.me()).user == me
