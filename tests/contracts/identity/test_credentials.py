"""Password hashers, password strength and access tokens as their ports promise: fakes and the real ones."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.adapters.crypto.argon2_hasher import Argon2PasswordHasher
from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.crypto.key_ring import KeyRing, SigningKey
from kapda.adapters.crypto.refresh_secrets import RandomRefreshSecrets
from kapda.adapters.crypto.zxcvbn_strength import ZxcvbnStrength
from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordHasher, PasswordStrength
from kapda.domain.identity.refresh import RefreshSecrets
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.session_ports import AccessTokens
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.identity import (
    CountedRefreshSecrets,
    CountingIds,
    ListedPasswordStrength,
    ReadablePasswordHasher,
    RememberedAccessTokens,
    SettableClock,
)

RIGHT, WRONG = Password("Kurta-and-9-yards"), Password("kurta-and-9-yards")


@pytest.fixture(params=["readable", "argon2"])
def hasher(request: pytest.FixtureRequest) -> Iterator[PasswordHasher]:
    if request.param == "readable":
        yield ReadablePasswordHasher()
        return
    argon2 = Argon2PasswordHasher()
    yield argon2
    argon2.close()


@pytest.fixture(params=["listed", "zxcvbn"])
def strength(request: pytest.FixtureRequest) -> Iterator[PasswordStrength]:
    if request.param == "listed":
        yield ListedPasswordStrength()
        return
    zxcvbn = ZxcvbnStrength()
    yield zxcvbn
    zxcvbn.close()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(params=["remembered", "jwt"])
def access_tokens(request: pytest.FixtureRequest, clock: SettableClock) -> AccessTokens:
    if request.param == "remembered":
        return RememberedAccessTokens(clock)
    ring = KeyRing(SigningKey("k1", b"k" * 32))
    return JwtAccessTokens(ring, issuer="kapda", audience="kapda.api", clock=clock)


@pytest.fixture
def claims(clock: SettableClock) -> AccessClaims:
    ids = CountingIds()
    session = Session.start(SessionId(ids.new()), UserId(ids.new()), clock.now())
    return AccessClaims.for_session(session, Role.DESIGNER, ids.new(), clock.now())


async def test_the_password_of_a_hash_and_no_other_is_right(hasher: PasswordHasher) -> None:
    password_hash = await hasher.hash(RIGHT)
    right = await hasher.check(RIGHT, password_hash)
    assert (right.is_right, right.needs_rehash) == (True, False)
    assert not (await hasher.check(WRONG, password_hash)).is_right


@pytest.mark.parametrize("password_hash", [None, "", "no hash at all", "$argon2id$v=19$m=1$broken"])
async def test_nobodys_or_a_broken_hash_is_never_right(hasher: PasswordHasher, password_hash: str | None) -> None:
    check = await hasher.check(RIGHT, password_hash)
    assert (check.is_right, check.needs_rehash) == (False, False)


async def test_what_everybody_chooses_is_common(strength: PasswordStrength) -> None:
    assert await strength.is_common(Password("Password1"), ())
    assert await strength.is_common(Password("passwordpassword"), ())


async def test_what_nobody_would_guess_is_not_common(strength: PasswordStrength) -> None:
    assert not await strength.is_common(RIGHT, ("asha@example.in", "Asha"))


async def test_what_is_known_of_the_user_is_common_for_them(strength: PasswordStrength) -> None:
    assert await strength.is_common(Password("vijayalakshmi.r@example.in"), ("vijayalakshmi.r@example.in", "Viji"))


@pytest.fixture(params=[CountedRefreshSecrets, RandomRefreshSecrets])
def secrets(request: pytest.FixtureRequest) -> RefreshSecrets:
    made: RefreshSecrets = request.param()
    return made


def test_no_two_refresh_tokens_are_the_same_and_none_shows_itself(secrets: RefreshSecrets) -> None:
    made = [secrets.new() for _ in range(1_000)]
    assert len({secret.digest for secret in made}) == 1_000
    assert not any(secret.text in repr(secret) for secret in made)


def test_a_refresh_token_is_256_bits_as_43_characters() -> None:
    assert {len(RandomRefreshSecrets().new().text) for _ in range(100)} == {43}


async def test_a_token_says_what_it_was_issued_for(access_tokens: AccessTokens, claims: AccessClaims) -> None:
    assert access_tokens.verify(access_tokens.issue(claims)) == claims


async def test_two_tokens_of_a_session_differ(access_tokens: AccessTokens, claims: AccessClaims) -> None:
    other = replace(claims, token_id=CountingIds(100).new())
    assert access_tokens.issue(claims) != access_tokens.issue(other)


async def test_a_token_is_refused_from_the_instant_it_expires(
    access_tokens: AccessTokens, claims: AccessClaims, clock: SettableClock
) -> None:
    token = access_tokens.issue(claims)
    clock.at = claims.expires_at - timedelta(microseconds=1)
    access_tokens.verify(token)
    clock.at = claims.expires_at
    with pytest.raises(UnauthenticatedError) as refusal:
        access_tokens.verify(token)
    assert refusal.value.reason is Reason.TOKEN_EXPIRED


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "made up", "\u0915.\u0915.\u0915", "x" * 100_000])
async def test_what_is_no_token_is_refused(access_tokens: AccessTokens, token: str) -> None:
    with pytest.raises(UnauthenticatedError) as refusal:
        access_tokens.verify(token)
    assert refusal.value.reason is Reason.TOKEN_INVALID
