"""Sessions and refresh tokens as their ports promise, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.refresh import RefreshSecret, RefreshToken
from kapda.domain.identity.session import REVOCATION_MEMORY, Contact, Session
from kapda.domain.identity.user import DisplayName, EmailAddress, User
from kapda.domain.shared.ids import SessionId, UserId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.identity import SettableClock

NOW = SettableClock().now() + timedelta(microseconds=123_456)
PHONE = Contact(ClientNetwork("203.0.113.0/24"), "Kapda for Android")
LAPTOP = Contact(ClientNetwork("2001:db8:7::/48"), None)
ASHA, BINOD = (
    User.signed_up(UserId(UUID(int=number)), EmailAddress(f"{name}@example.in"), DisplayName(name), "hash", NOW)
    for number, name in enumerate(("asha", "binod"), start=1)
)
SECRET = RefreshSecret("r" * 43)


def numbered(number: int, user: User = ASHA) -> Session:
    return Session.start(SessionId(UUID(int=number)), user.id, NOW, PHONE)


async def keep(store: IdentityStore, *sessions: Session) -> None:
    async with store.unit_of_work() as uow:
        for user in (ASHA, BINOD):
            await uow.users.add(user)
        for session in sessions:
            await uow.sessions.add(session)
        await uow.commit()


async def end_all(store: IdentityStore, except_session: Session | None = None) -> set[int]:
    async with store.unit_of_work() as uow:
        ended = await uow.sessions.end_all(ASHA.id, NOW, except_session.id if except_session else None)
        await uow.commit()
    return {session_id.int for session_id in ended}


async def ends(store: IdentityStore, *numbers: int) -> dict[int, object]:
    found = {number: await store.reader.find(SessionId(UUID(int=number))) for number in numbers}
    return {number: session.revoked_at if session else "gone" for number, session in found.items()}


async def test_where_a_session_began_and_was_refreshed_is_kept(store: IdentityStore) -> None:
    await keep(store, numbered(10))
    async with store.unit_of_work() as uow:
        session = await uow.sessions.lock(SessionId(UUID(int=10)))
        assert session == numbered(10)
        session.refresh(NOW + timedelta(days=2), LAPTOP)
        await uow.sessions.save(session)
        await uow.commit()
    assert await store.reader.find(session.id) == session
    assert (session.begun_from, session.refreshed_from) == (PHONE, LAPTOP)


async def test_living_sessions_are_listed_page_by_page_the_newest_first(store: IdentityStore) -> None:
    ended, expired = numbered(12), numbered(13)
    ended.revoke(NOW)
    expired.created_at, expired.expires_at = NOW - timedelta(days=7), NOW
    await keep(store, *map(numbered, (10, 11, 14, 15)), ended, expired, numbered(16, BINOD))
    async with store.unit_of_work() as uow:
        first = await uow.sessions.list_living(ASHA.id, NOW, PageRequest(3))
        second = await uow.sessions.list_living(ASHA.id, NOW, PageRequest(3, first.next_cursor))
        nobody = await uow.sessions.list_living(UserId(UUID(int=99)), NOW, PageRequest(3))
    assert first.items == (numbered(15), numbered(14), numbered(11))
    assert (second.items, second.next_cursor) == ((numbered(10),), None)
    assert (nobody.items, nobody.next_cursor) == ((), None)


async def test_all_sessions_of_one_user_end_and_no_others(store: IdentityStore) -> None:
    await keep(store, numbered(10), numbered(11), numbered(12, BINOD))
    assert await end_all(store) == {10, 11}
    assert await ends(store, 10, 11, 12) == {10: NOW, 11: NOW, 12: None}


async def test_one_session_may_be_left_alone(store: IdentityStore) -> None:
    await keep(store, numbered(10), numbered(11))
    assert await end_all(store, numbered(11)) == {10}
    assert await ends(store, 10, 11) == {10: NOW, 11: None}


async def test_what_ended_of_late_is_told_again_and_keeps_its_end(store: IdentityStore) -> None:
    lately, long_ago, expired = (replace(numbered(number)) for number in (10, 11, 12))
    lately.revoked_at = NOW - REVOCATION_MEMORY
    long_ago.revoked_at = lately.revoked_at - timedelta(microseconds=1)
    expired.created_at, expired.expires_at = NOW - timedelta(days=7), NOW
    await keep(store, lately, long_ago, expired, numbered(13))
    assert await end_all(store) == {10, 13}
    assert await ends(store, 10, 11, 12, 13) == {10: lately.revoked_at, 11: long_ago.revoked_at, 12: None, 13: NOW}
    assert await end_all(store) == {10, 13}
    assert await end_all(store, lately) == {13}


async def test_a_users_sessions_that_ended_of_late_are_told_and_nothing_is_changed(store: IdentityStore) -> None:
    lately, long_ago, anothers = numbered(10), numbered(11), numbered(12, BINOD)
    lately.created_at = long_ago.created_at = NOW - timedelta(hours=1)
    lately.revoked_at = NOW - REVOCATION_MEMORY
    long_ago.revoked_at = lately.revoked_at - timedelta(microseconds=1)
    anothers.revoke(NOW)
    await keep(store, lately, long_ago, anothers, numbered(13))
    async with store.unit_of_work() as uow:
        assert await uow.sessions.ended_lately(ASHA.id, NOW) == [lately.id]
        await uow.commit()
    assert await ends(store, 13) == {13: None}


async def test_no_session_ends_before_it_began(store: IdentityStore) -> None:
    """Whoever ends a user's sessions has looked at the clock before a log-in that was quicker did."""
    later = numbered(10)
    later.created_at, later.expires_at = NOW + timedelta(seconds=1), NOW + timedelta(days=7)
    await keep(store, later)
    assert await end_all(store) == {10}
    assert await ends(store, 10) == {10: later.created_at}


async def test_nothing_is_ended_without_a_commit(store: IdentityStore) -> None:
    await keep(store, numbered(10))
    async with store.unit_of_work() as uow:
        assert await uow.sessions.end_all(ASHA.id, NOW)
    assert await ends(store, 10) == {10: None}


async def test_a_user_without_sessions_has_none_to_end(store: IdentityStore) -> None:
    await keep(store)
    assert await end_all(store) == set()


async def test_a_token_and_its_use_are_kept_and_lead_to_its_session(store: IdentityStore) -> None:
    session = numbered(10)
    token = RefreshToken.of(SECRET, session, NOW)
    await keep(store, session, numbered(11))
    async with store.unit_of_work() as uow:
        await uow.refresh_tokens.add(token)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.sessions.lock_by_refresh_token(SECRET.digest) == session
        found = await uow.refresh_tokens.find(SECRET.digest)
        assert found == token
        found.use(NOW + timedelta(seconds=1))
        await uow.refresh_tokens.save(found)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.refresh_tokens.find(SECRET.digest) == found


async def test_a_sessions_tokens_of_late_are_counted_and_no_others(store: IdentityStore) -> None:
    session, other = numbered(10), numbered(11)
    await keep(store, session, other)
    async with store.unit_of_work() as uow:
        for number, (of, minutes) in enumerate(((session, 0), (session, 5), (session, 10), (other, 10))):
            at = NOW + timedelta(minutes=minutes)
            await uow.refresh_tokens.add(RefreshToken.of(RefreshSecret(f"secret {number}"), of, at))
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.refresh_tokens.issued_since(session.id, NOW) == 2
        assert await uow.refresh_tokens.issued_since(other.id, NOW) == 1
        assert await uow.refresh_tokens.issued_since(session.id, NOW + timedelta(minutes=10)) == 0


@pytest.mark.parametrize("secret", ["", "R" * 43, "r" * 42])
async def test_another_token_leads_nowhere(store: IdentityStore, secret: str) -> None:
    session = numbered(10)
    await keep(store, session)
    async with store.unit_of_work() as uow:
        await uow.refresh_tokens.add(RefreshToken.of(SECRET, session, NOW))
        assert await uow.sessions.lock_by_refresh_token(RefreshSecret(secret).digest) is None
        assert await uow.refresh_tokens.find(RefreshSecret(secret).digest) is None
