from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.domain.identity.refresh import (
    GRACE,
    MAX_SUCCESSORS,
    IssuedRefreshToken,
    RefreshSecret,
    RefreshToken,
    TokenUse,
)
from kapda.domain.identity.session import REFRESH_TOKEN_LIFE, Session
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.identity import CountingIds, SettableClock

NOW = SettableClock().now()
INSTANT = timedelta(microseconds=1)
SECRET = RefreshSecret("the-credential-itself")


@pytest.fixture
def token() -> RefreshToken:
    ids = CountingIds()
    return RefreshToken.of(SECRET, Session.start(SessionId(ids.new()), UserId(ids.new()), NOW), NOW)


def test_a_token_is_good_for_a_week_and_kept_as_a_digest(token: RefreshToken) -> None:
    assert token.expires_at == NOW + REFRESH_TOKEN_LIFE
    assert len(token.digest) == 32
    assert SECRET.text not in repr((SECRET, token, IssuedRefreshToken(SECRET, NOW)))


def test_the_first_use_is_granted_whenever_it_comes(token: RefreshToken) -> None:
    late = NOW + REFRESH_TOKEN_LIFE - INSTANT
    assert token.use(late) is TokenUse.GRANTED
    assert (token.used_at, token.successors) == (late, 1)


def test_uses_within_the_grace_are_granted_and_do_not_prolong_it(token: RefreshToken) -> None:
    assert token.use(NOW) is token.use(NOW + GRACE / 2) is token.use(NOW + GRACE) is TokenUse.GRANTED
    assert (token.used_at, token.successors) == (NOW, 3)
    before = replace(token)
    assert token.use(NOW + GRACE + INSTANT) is TokenUse.REPLAYED
    assert token == before


def test_a_second_user_whose_clock_is_behind_is_within_the_grace(token: RefreshToken) -> None:
    token.use(NOW + timedelta(seconds=1))
    assert token.use(NOW) is TokenUse.GRANTED


def test_a_token_makes_only_so_many_successors(token: RefreshToken) -> None:
    assert [token.use(NOW) for _ in range(MAX_SUCCESSORS)] == [TokenUse.GRANTED] * MAX_SUCCESSORS
    assert token.use(NOW) is TokenUse.TOO_OFTEN
    assert token.successors == MAX_SUCCESSORS
    assert token.use(NOW + GRACE + INSTANT) is TokenUse.REPLAYED


def test_an_expired_token_is_expired_whether_it_was_used_or_not(token: RefreshToken) -> None:
    assert token.use(token.expires_at) is TokenUse.EXPIRED
    token.use(NOW)
    assert token.use(token.expires_at) is TokenUse.EXPIRED
