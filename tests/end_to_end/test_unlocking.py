"""An account that strangers have closed by guessing is opened by its owner, through the mail, at the real server."""

import asyncio
import re
from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1 import password_service_pb2 as passwords
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.password_service_pb2_grpc import PasswordServiceStub
from tests.shop.wire import CALL_SECONDS, PASSWORD, Wire, eventually, reason_of

HOTEL, STRANGER = "203.0.113.9", "198.51.100.9"
GUESSERS = [f"10.0.{number}.9" for number in range(26)]


class Visitor:
    """Somebody who calls from an address."""

    def __init__(self, wire: Wire, address: str) -> None:
        self._accounts, self._passwords = IdentityServiceStub(wire.channel), PasswordServiceStub(wire.channel)
        self._from = (("x-forwarded-for", address),)

    async def sign_up(self, email: str) -> None:
        request = identity.SignUpRequest(email=email, password=PASSWORD, display_name="Asha")
        await self._accounts.SignUp(request, metadata=self._from, timeout=CALL_SECONDS, wait_for_ready=True)

    async def log_in(self, email: str, password: str = PASSWORD) -> str:
        """The reason of the refusal; empty for whoever got in."""
        request = identity.LogInRequest(email=email, password=password)
        try:
            await self._accounts.LogIn(request, metadata=self._from, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as refusal:
            return reason_of(refusal)
        return ""

    async def ask_for_a_link(self, email: str) -> bytes:
        """The answer's bytes."""
        request = passwords.RequestUnlockRequest(email=email)
        answer = await self._passwords.RequestUnlock(request, metadata=self._from, timeout=CALL_SECONDS)
        return bytes(answer.SerializeToString())

    async def unlock(self, token: str) -> str:
        """The reason of the refusal; empty for who was first."""
        request = passwords.UnlockRequest(token=token)
        try:
            await self._passwords.Unlock(request, metadata=self._from, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as refusal:
            return reason_of(refusal)
        return ""


def links_mailed_to(wire: Wire, email: str) -> list[str]:
    """What the links that unlock carry, in the mails to an address."""
    tokens: list[str] = []
    for path in Path(wire.stack.environment["KAPDA_MAIL_FOLDER"]).glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        body = mail.get_body(("plain",))
        if email in str(mail["To"]) and body is not None:
            tokens += re.findall(r"/unlock#token=(\S+)", body.get_content())
    return tokens


async def test_the_owner_of_a_closed_account_gets_in_from_a_new_place_by_a_mailed_link(wire: Wire) -> None:
    email, nobodys = f"{uuid4().hex}@example.com", f"{uuid4().hex}@example.com"
    home, hotel, stranger = (Visitor(wire, address) for address in ("192.0.2.9", HOTEL, STRANGER))
    guessers = [Visitor(wire, address) for address in GUESSERS]
    await home.sign_up(email)

    for address in (email, nobodys):
        outcomes = Counter([await guesser.log_in(address, "guess") for guesser in guessers])
        assert outcomes == {"CREDENTIALS_INVALID": 25, "LOG_IN_LINK_NEEDED": 1}
    assert await hotel.log_in(email) == await hotel.log_in(nobodys) == "LOG_IN_LINK_NEEDED"
    assert await home.log_in(email) == ""

    assert await hotel.ask_for_a_link(nobodys) == await hotel.ask_for_a_link(email) == b""

    async def a_mail() -> list[str]:
        return links_mailed_to(wire, email)

    (token,) = await eventually(a_mail, within=30)
    at_once = await asyncio.gather(*(hotel.unlock(token) for _ in range(10)))
    assert Counter(at_once) == {"": 1, "LINK_INVALID": 9}
    assert await stranger.unlock(token) == "LINK_INVALID"

    assert await hotel.log_in(email) == ""
    for visitor in (stranger, *guessers):
        assert await visitor.log_in(email) == "LOG_IN_LINK_NEEDED"
    # A hop that the caller made up is not the one that our gateway adds.
    assert await Visitor(wire, f"{HOTEL}, {STRANGER}").log_in(email) == "LOG_IN_LINK_NEEDED"
    assert await hotel.log_in(nobodys) == "LOG_IN_LINK_NEEDED"

    async def no_mail() -> bool:
        dropped = "SELECT outcome FROM mails WHERE kind = 'unlock' AND user_id IS NULL AND state = 'dropped'"
        return bool(await wire.database.fetchval(dropped) == "no_account")

    await eventually(no_mail, within=30)
    assert links_mailed_to(wire, nobodys) == []


async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour_wherever_the_caller_says_to_be(wire: Wire) -> None:
    email = f"{uuid4().hex}@example.com"
    await Visitor(wire, "192.0.2.9").sign_up(email)
    for number in range(5):
        made_up = Visitor(wire, f"10.0.{number}.9, {STRANGER}")
        assert await made_up.log_in(email, "guess") == "CREDENTIALS_INVALID"
    request = identity.LogInRequest(email=email, password=PASSWORD)
    headers = (("x-forwarded-for", f"192.0.2.9, {STRANGER}"),)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await IdentityServiceStub(wire.channel).LogIn(request, metadata=headers, timeout=CALL_SECONDS)
    assert reason_of(refusal.value) == "LOG_IN_LOCKED"
    assert 800 < retry_after(refusal.value) <= 900
    assert await Visitor(wire, HOTEL).log_in(email) == ""


def retry_after(refusal: grpc.aio.AioRpcError) -> int:
    """The seconds in a refusal's RetryInfo; 0 where there is none."""
    metadata = dict(refusal.trailing_metadata() or ())
    info = error_details_pb2.RetryInfo()
    for detail in status_pb2.Status.FromString(metadata["grpc-status-details-bin"]).details:
        if detail.Unpack(info):
            return int(info.retry_delay.ToSeconds())
    return 0
