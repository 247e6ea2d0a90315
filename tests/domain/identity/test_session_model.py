from datetime import timedelta

import pytest

from kapda.domain.identity.session import ACCESS_TOKEN_LIFE, SESSION_LIFE, AccessClaims, AccessToken, Session
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.identity import CountingIds, SettableClock

NOW = SettableClock().now()
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def session() -> Session:
    ids = CountingIds()
    return Session.start(SessionId(ids.new()), UserId(ids.new()), NOW)


def test_a_session_is_active_until_the_instant_it_expires(session: Session) -> None:
    assert session.is_active(NOW)
    assert session.is_active(NOW + SESSION_LIFE - INSTANT)
    assert not session.is_active(NOW + SESSION_LIFE)


def test_a_revoked_session_is_over_and_stays_so_from_its_first_end(session: Session) -> None:
    session.revoke(NOW + INSTANT)
    session.revoke(NOW + timedelta(hours=1))
    assert session.revoked_at == NOW + INSTANT
    assert not session.is_active(NOW)


def test_a_token_lives_a_quarter_of_an_hour_and_names_its_session(session: Session) -> None:
    claims = AccessClaims.for_session(session, Role.DESIGNER, CountingIds().new(), NOW)
    assert claims.expires_at - claims.issued_at == ACCESS_TOKEN_LIFE == timedelta(minutes=15)
    assert claims.principal.session_id == session.id
    assert claims.principal.user_id == session.user_id
    assert claims.principal.role is Role.DESIGNER


def test_a_token_does_not_outlive_its_session(session: Session) -> None:
    late = session.expires_at - timedelta(minutes=1)
    assert AccessClaims.for_session(session, Role.CUSTOMER, CountingIds().new(), late).expires_at == session.expires_at


def test_a_token_does_not_show_in_a_repr() -> None:
    assert "secret-token" not in repr(AccessToken("secret-token", NOW))
