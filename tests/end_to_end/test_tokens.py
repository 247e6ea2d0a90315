"""Tokens at the real server: forged ones, refreshed ones, and the keys that sign them changed under way."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.user_pb2 import SessionTokens
from tests.shop.processes import restart
from tests.shop.wire import CALL_SECONDS, PASSWORD, Caller, Wire, reason_of

KEYS = "KAPDA_JWT_KEYS"
JSON = dict[str, Any]


async def signs_up(wire: Wire) -> SessionTokens:
    """The tokens of a new customer."""
    request = identity.SignUpRequest(email=f"{uuid4().hex}@example.com", password=PASSWORD, display_name="Asha")
    return (await IdentityServiceStub(wire.channel).SignUp(request, timeout=CALL_SECONDS, wait_for_ready=True)).tokens


async def refresh(wire: Wire, refresh_token: str) -> SessionTokens:
    """The next pair."""
    request = identity.RefreshSessionRequest(refresh_token=refresh_token)
    stub = IdentityServiceStub(wire.channel)
    return (await stub.RefreshSession(request, timeout=CALL_SECONDS, wait_for_ready=True)).tokens


async def refused(wire: Wire, token: str) -> str:
    """The reason for which a call with the token is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await Caller(wire, token).me()
    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
    return reason_of(refusal.value)


async def not_refreshed(wire: Wire, token: str) -> str:
    """The reason for which a refresh with the token is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await refresh(wire, token)
    assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
    return reason_of(refusal.value)


class Forger:
    """Somebody who has a genuine token and, for what has to be signed, even the key."""

    def __init__(self, wire: Wire, token: str) -> None:
        self.key_id, _, key = wire.stack.environment[KEYS].partition(":")
        self.key = key.encode()
        self.header: JSON = jwt.get_unverified_header(token)
        self.payload: JSON = jwt.decode(token, options={"verify_signature": False})

    def sign(self, payload: Mapping[str, Any] = {}, key: bytes | None = None, **header: Any) -> str:
        """The genuine token with changes, signed with the key or another."""
        signed = jwt.encode(
            {**self.payload, **payload}, key or self.key, "HS256", headers={**self.header, "alg": "HS256", **header}
        )
        return str(signed)

    def unsigned(self, **header: Any) -> str:
        """The genuine token's header, changed, and payload, joined."""
        return f"{_encoded({**self.header, **header})}.{_encoded(self.payload)}"


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _by_rsa(forger: Forger) -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return str(jwt.encode(forger.payload, private, "RS256", headers={**forger.header, "alg": "RS256"}))


def _by_a_public_key(forger: Forger) -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = forger.unsigned(jwk={"kty": "RSA"})
    return f"{body}.{base64.urlsafe_b64encode(hmac.digest(pem, body.encode(), 'sha256')).rstrip(b'=').decode()}"


def _as_admin(forger: Forger) -> str:
    header, _, signature = forger.sign().split(".")
    return f"{header}.{_encoded({**forger.payload, 'role': 'admin'})}.{signature}"


NOW = int(time.time())
FORGERIES: Mapping[str, Callable[[Forger], str]] = {
    "no algorithm": lambda forger: f"{forger.unsigned(alg='none')}.",
    "no algorithm, in capitals": lambda forger: f"{forger.unsigned(alg='NONE')}.",
    "no signature": lambda forger: f"{forger.unsigned()}.",
    "an RSA signature": _by_rsa,
    "a public key as the secret": _by_a_public_key,
    "another key": lambda forger: forger.sign(key=secrets.token_bytes(48)),
    "another key, sent along": lambda forger: forger.sign(key=b"x" * 48, jwk={"kty": "oct", "k": "eHh4"}),
    "an unknown key id": lambda forger: forger.sign(kid="k-unknown"),
    "a path as the key id": lambda forger: forger.sign(kid="../../dev/null"),
    "another type": lambda forger: forger.sign(typ="JWT"),
    "a refresh token's type": lambda forger: forger.sign(typ="rt+jwt"),
    "another issuer": lambda forger: forger.sign({"iss": "somebody"}),
    "another audience": lambda forger: forger.sign({"aud": "another-api"}),
    "several audiences": lambda forger: forger.sign({"aud": ["kapda-api", "another-api"]}),
    "not yet valid": lambda forger: forger.sign({"nbf": NOW + 3_600}),
    "no expiry": lambda forger: forger.sign({"exp": None}),
    "an unknown role": lambda forger: forger.sign({"role": "root"}),
    "tampered to be an admin's": _as_admin,
    "not a token": lambda _: "a.b.c",
    "empty": lambda _: "",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_refused_at_the_door(wire: Wire, forgery: str) -> None:
    forger = Forger(wire, (await wire.sign_up()).token)
    assert await refused(wire, FORGERIES[forgery](forger)) == "TOKEN_INVALID"


async def test_the_forger_of_these_tests_can_make_a_good_token_and_an_expired_one(wire: Wire) -> None:
    forger = Forger(wire, (await wire.sign_up()).token)
    await Caller(wire, forger.sign()).me()
    assert await refused(wire, forger.sign({"exp": NOW - 1})) == "TOKEN_EXPIRED"


async def test_neither_kind_of_token_does_the_others_work(wire: Wire) -> None:
    tokens = await signs_up(wire)
    assert await refused(wire, tokens.refresh_token) == "TOKEN_INVALID"
    assert await not_refreshed(wire, tokens.access_token) == "REFRESH_TOKEN_INVALID"
    assert await not_refreshed(wire, secrets.token_urlsafe(32)) == "REFRESH_TOKEN_INVALID"
    await Caller(wire, tokens.access_token).me()
    await refresh(wire, tokens.refresh_token)


async def test_sessions_are_refreshed_listed_and_ended_over_the_wire(wire: Wire) -> None:
    first = await signs_up(wire)
    second = await refresh(wire, first.refresh_token)
    caller = Caller(wire, second.access_token)
    stub = IdentityServiceStub(wire.channel)
    email = (await caller.me()).user.email
    other = await stub.LogIn(identity.LogInRequest(email=email, password=PASSWORD), timeout=CALL_SECONDS)
    listed = await stub.ListSessions(identity.ListSessionsRequest(), metadata=caller.metadata, timeout=CALL_SECONDS)
    assert [session.current for session in listed.sessions] == [False, True]
    mine = listed.sessions[1]
    assert (mine.begun.client_network, mine.refreshed.client_network) == ("127.0.0.0/24", "127.0.0.0/24")
    assert mine.begun.user_agent.startswith("grpc-python-asyncio/")
    week = second.refresh_token_expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert 6.9 < week.total_seconds() / 86_400 <= 7

    end = identity.EndSessionRequest(session_id=listed.sessions[0].id)
    await stub.EndSession(end, metadata=caller.metadata, timeout=CALL_SECONDS)
    assert await refused(wire, other.tokens.access_token) == "SESSION_REVOKED"
    assert await not_refreshed(wire, other.tokens.refresh_token) == "SESSION_REVOKED"
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.EndSession(end, metadata=(await wire.sign_up()).metadata, timeout=CALL_SECONDS)
    assert reason_of(refusal.value) == "SESSION_NOT_FOUND"
    await stub.LogOutEverywhere(identity.LogOutEverywhereRequest(), metadata=caller.metadata, timeout=CALL_SECONDS)
    assert await refused(wire, second.access_token) == "SESSION_REVOKED"


@contextmanager
def keys_of_the_server(wire: Wire) -> Iterator[Callable[[str], None]]:
    """Restarts the server with other keys, and in the end with its own."""
    supervisor = wire.stack.supervisor
    before = supervisor.environment

    def set_keys(keys: str) -> None:
        supervisor.stop("serve")
        supervisor.environment = {**before, KEYS: keys}
        restart(wire.stack, "serve")

    try:
        yield set_keys
    finally:
        set_keys(before[KEYS])
        supervisor.environment = before


async def test_rotating_the_key_logs_nobody_out_and_retiring_the_old_one_leaves_sessions_alone(wire: Wire) -> None:
    old = wire.stack.environment[KEYS]
    new = f"next:{secrets.token_urlsafe(48)}"
    before = await signs_up(wire)
    with keys_of_the_server(wire) as set_keys:
        set_keys(f"{old},{new}")
        await Caller(wire, before.access_token).me()
        announced = await refresh(wire, before.refresh_token)

        set_keys(f"{new},{old}")
        await Caller(wire, before.access_token).me()
        await Caller(wire, announced.access_token).me()
        rotated = await refresh(wire, announced.refresh_token)
        assert jwt.get_unverified_header(rotated.access_token)["kid"] == "next"
        await Caller(wire, rotated.access_token).me()

        set_keys(new)
        assert await refused(wire, announced.access_token) == "TOKEN_INVALID"
        await Caller(wire, rotated.access_token).me()
        # A refresh token is signed by nobody: whoever missed the rotation comes back with it.
        await refresh(wire, rotated.refresh_token)
