"""Tokens that look like ours and are not."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.crypto.key_ring import KeyRing, SigningKey
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import ACCESS_TOKEN_LIFE, CLOCK_SKEW, AccessClaims
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.identity import SettableClock

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OLD, KEY, NEXT = (SigningKey(name, name.encode() * 16) for name in ("k0", "k1", "k2"))
CLAIMS = AccessClaims(
    Principal(UserId(UUID(int=1)), Role.CUSTOMER, SessionId(UUID(int=2))), UUID(int=3), NOW, NOW + ACCESS_TOKEN_LIFE
)
HEADER = {"alg": "HS256", "kid": "k1", "typ": "at+jwt"}
PAYLOAD: dict[str, Any] = {
    "iss": "kapda",
    "aud": "kapda.api",
    "sub": str(UUID(int=1)),
    "sid": str(UUID(int=2)),
    "jti": str(UUID(int=3)),
    "role": "customer",
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int((NOW + ACCESS_TOKEN_LIFE).timestamp()),
}


def tokens(ring: KeyRing | None = None, at: datetime = NOW) -> JwtAccessTokens:
    return JwtAccessTokens(ring or KeyRing(KEY), issuer="kapda", audience="kapda.api", clock=SettableClock(at))


def signed(
    payload: dict[str, Any] | None = None, header: dict[str, Any] | None = None, secret: bytes = KEY.secret
) -> str:
    header = {**HEADER, **(header or {})}
    return jwt.encode({**PAYLOAD, **(payload or {})}, secret, header["alg"], headers=header)


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def refusal(token: str, ring: KeyRing | None = None) -> Reason:
    with pytest.raises(UnauthenticatedError) as refused:
        tokens(ring).verify(token)
    return refused.value.reason


def test_the_forger_of_these_tests_can_make_a_good_token() -> None:
    assert tokens().verify(signed()) == CLAIMS


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_a_signature_is_refused(name: str) -> None:
    body = f"{encoded({**HEADER, 'alg': name})}.{encoded(PAYLOAD)}"
    assert refusal(f"{body}.") is Reason.TOKEN_INVALID
    assert refusal(f"{body}.{signed().rsplit('.', 1)[1]}") is Reason.TOKEN_INVALID


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("name", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_key(name: str) -> None:
    assert refusal(signed(header={"alg": name})) is Reason.TOKEN_INVALID


def test_neither_an_rsa_signature_nor_its_public_key_as_a_secret_is_accepted() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    by_rsa = jwt.encode(PAYLOAD, private, "RS256", headers={"kid": "k1", "typ": "at+jwt"})
    assert refusal(by_rsa) is Reason.TOKEN_INVALID
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{encoded(HEADER)}.{encoded(PAYLOAD)}"
    swapped = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), "sha256")).rstrip(b"=").decode()
    assert refusal(f"{body}.{swapped}") is Reason.TOKEN_INVALID


def test_a_wrong_key_under_a_known_name_is_refused() -> None:
    assert refusal(signed(secret=b"x" * 32)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("key_id", ["k9", "", "../k1", "K1"])
def test_an_unknown_key_name_is_refused(key_id: str) -> None:
    assert refusal(signed(header={"kid": key_id})) is Reason.TOKEN_INVALID


def test_a_token_without_a_key_name_is_refused() -> None:
    token = jwt.encode(PAYLOAD, KEY.secret, "HS256", headers={"typ": "at+jwt"})
    assert refusal(token) is Reason.TOKEN_INVALID


def test_a_key_sent_along_in_the_header_is_not_used() -> None:
    mine = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode()}
    assert refusal(signed(header={"jwk": mine}, secret=b"x" * 32)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("kind", ["JWT", "refresh+jwt", "", "AT+JWT"])
def test_another_kind_of_token_is_refused(kind: str) -> None:
    assert refusal(signed(header={"typ": kind})) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "other.api"},
        {"aud": ["kapda.api", "other.api"]},
        {"sub": "1"},
        {"sub": 1},
        {"sid": "not an id"},
        {"jti": ""},
        {"role": "root"},
        {"role": None},
        {"role": ["admin"]},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e400},
        {"exp": 10**30},
        {"nbf": "now"},
        {"iat": None},
    ],
)
def test_a_claim_that_is_not_as_ours_is_refused(change: dict[str, Any]) -> None:
    assert refusal(signed(change)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("name", sorted(PAYLOAD))
def test_a_missing_claim_is_refused(name: str) -> None:
    payload = {key: value for key, value in PAYLOAD.items() if key != name}
    assert refusal(jwt.encode(payload, KEY.secret, "HS256", headers=HEADER)) is Reason.TOKEN_INVALID


def test_a_token_of_another_issuer_or_audience_of_ours_is_refused() -> None:
    token = tokens().issue(CLAIMS)
    for issuer, audience in (("other", "kapda.api"), ("kapda", "other")):
        verifier = JwtAccessTokens(KeyRing(KEY), issuer=issuer, audience=audience, clock=SettableClock(NOW))
        with pytest.raises(UnauthenticatedError):
            verifier.verify(token)


def test_an_expired_token_is_refused_to_the_second() -> None:
    assert refusal(signed({"exp": int(NOW.timestamp())})) is Reason.TOKEN_EXPIRED
    assert tokens().verify(signed({"exp": int(NOW.timestamp()) + 1})).token_id == CLAIMS.token_id


def test_a_token_from_the_future_is_refused_beyond_the_clocks_difference() -> None:
    token = tokens().issue(CLAIMS)
    assert tokens(at=NOW - CLOCK_SKEW).verify(token) == CLAIMS
    with pytest.raises(UnauthenticatedError) as refused:
        tokens(at=NOW - CLOCK_SKEW - timedelta(seconds=1)).verify(token)
    assert refused.value.reason is Reason.TOKEN_INVALID


def test_a_token_that_was_good_a_moment_ago_is_still_held_to_the_clock() -> None:
    clock = SettableClock(NOW)
    verifier = JwtAccessTokens(KeyRing(KEY), issuer="kapda", audience="kapda.api", clock=clock)
    token = verifier.issue(CLAIMS)
    assert verifier.verify(token) == verifier.verify(token) == CLAIMS
    clock.advance(ACCESS_TOKEN_LIFE)
    with pytest.raises(UnauthenticatedError) as refused:
        verifier.verify(token)
    assert refused.value.reason is Reason.TOKEN_EXPIRED
    clock.at = NOW - CLOCK_SKEW - timedelta(seconds=1)
    with pytest.raises(UnauthenticatedError):
        verifier.verify(token)


def test_a_good_token_lets_no_variation_of_it_in() -> None:
    verifier = tokens()
    token = verifier.issue(CLAIMS)
    verifier.verify(token)
    for other in (token[:-1], f" {token}", f"{token}.", token.swapcase()):
        with pytest.raises(UnauthenticatedError):
            verifier.verify(other)


def test_any_changed_character_makes_a_token_worthless() -> None:
    token = tokens().issue(CLAIMS)
    header, _, signature = token.split(".")
    admin = encoded({**PAYLOAD, "role": "admin"})
    assert refusal(f"{header}.{admin}.{signature}") is Reason.TOKEN_INVALID
    assert refusal(f"{token}A") is Reason.TOKEN_INVALID
    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        assert refusal(f"{token[:place]}{other}{token[place + 1 :]}") is Reason.TOKEN_INVALID


def test_rotating_the_key_logs_nobody_out() -> None:
    before = KeyRing(KEY)
    announced, signing, retired = KeyRing(KEY, (NEXT,)), KeyRing(NEXT, (KEY,)), KeyRing(NEXT)
    old = tokens(before).issue(CLAIMS)
    new = tokens(signing).issue(replace(CLAIMS, token_id=UUID(int=4)))
    for ring in (announced, signing):
        assert tokens(ring).verify(old) == CLAIMS
        assert tokens(ring).verify(new).token_id == UUID(int=4)
    assert refusal(old, retired) is Reason.TOKEN_INVALID


def test_a_ring_refuses_weak_keys_and_double_names_and_shows_no_secret() -> None:
    with pytest.raises(ValueError, match="shorter than 32 bytes"):
        SigningKey("k1", b"x" * 31)
    with pytest.raises(ValueError, match="the id of a signing key"):
        SigningKey("k 1", b"x" * 32)
    with pytest.raises(ValueError, match="same id"):
        KeyRing(KEY, (SigningKey("k1", b"y" * 32),))
    assert "k1k1" not in repr(KeyRing(KEY, (OLD,)))
