from datetime import timedelta

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.session import (
    ACCESS_TOKEN_LIFE,
    NOWHERE,
    REFRESH_TOKEN_LIFE,
    SESSION_LIFE,
    AccessClaims,
    AccessToken,
    Contact,
    Session,
)
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.identity import CountingIds, SettableClock

NOW = SettableClock().now()
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def session() -> Session:
    ids = CountingIds()
    return Session.start(SessionId(ids.new()), UserId(ids.new()), NOW)


def test_a_session_that_is_not_refreshed_is_active_until_the_instant_its_week_is_over(session: Session) -> None:
    assert session.is_active(NOW)
    assert session.is_active(NOW + REFRESH_TOKEN_LIFE - INSTANT)
    assert not session.is_active(NOW + REFRESH_TOKEN_LIFE)


def test_a_refresh_gives_another_week_and_remembers_from_where(session: Session) -> None:
    browser = Contact(ClientNetwork("203.0.113.0/24"), "Firefox")
    session.refresh(NOW + timedelta(days=6), browser)
    assert session.expires_at == NOW + timedelta(days=13)
    assert (session.refreshed_at, session.refreshed_from) == (NOW + timedelta(days=6), browser)
    assert (session.created_at, session.begun_from) == (NOW, NOWHERE)


def test_no_refresh_carries_a_session_beyond_thirty_days(session: Session) -> None:
    for day in range(1, 30):
        session.refresh(NOW + timedelta(days=day), NOWHERE)
    assert session.expires_at == NOW + SESSION_LIFE == NOW + timedelta(days=30)


def test_a_clock_that_is_behind_takes_no_time_away(session: Session) -> None:
    session.refresh(NOW + timedelta(hours=1), NOWHERE)
    session.refresh(NOW + timedelta(minutes=59), NOWHERE)
    assert session.expires_at == NOW + timedelta(hours=1) + REFRESH_TOKEN_LIFE


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Firefox on Fedora", "Firefox on Fedora"),
        ("x" * 201, "x" * 200),
        ("Fire\nfox\x1b[2J\u202e", "Firefox[2J"),
        (" \n", None),
        ("", None),
        (None, None),
    ],
)
def test_a_user_agent_is_cut_and_cleaned(told: str | None, kept: str | None) -> None:
    assert Contact(user_agent=told).user_agent == kept


def test_a_revoked_session_is_over_and_stays_so_from_its_first_end(session: Session) -> None:
    session.revoke(NOW + INSTANT)
    session.revoke(NOW + timedelta(hours=1))
    assert session.revoked_at == NOW + INSTANT
    assert not session.is_active(NOW)


def test_a_session_does_not_end_before_it_began(session: Session) -> None:
    session.revoke(NOW - INSTANT)
    assert session.revoked_at == NOW


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
