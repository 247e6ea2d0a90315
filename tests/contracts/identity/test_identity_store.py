"""Accounts, sessions and memberships as their ports promise, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.identity.session import SESSION_LIFE, Session
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.errors import AlreadyExistsError, Reason
from kapda.domain.shared.ids import DesignerId, SessionId, UserId
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.identity import SettableClock

NOW = SettableClock().now() + timedelta(microseconds=123_456)
ASHA = User.signed_up(
    UserId(UUID(int=1)), EmailAddress("Asha.Rao@Example.in"), DisplayName("आशा राव"), "$argon2id$hash", NOW
)
SESSION = Session.start(SessionId(UUID(int=2)), ASHA.id, NOW)


async def keep(store: IdentityStore, user: User, *sessions: Session) -> None:
    async with store.unit_of_work() as uow:
        await uow.users.add(user)
        for session in sessions:
            await uow.sessions.add(session)
        await uow.commit()


async def test_an_account_comes_back_as_it_went_in(store: IdentityStore) -> None:
    await keep(store, ASHA)
    async with store.unit_of_work() as uow:
        assert await uow.users.find(ASHA.id) == ASHA
        assert await uow.users.lock(ASHA.id) == ASHA


async def test_accounts_are_found_many_at_once_as_they_went_in(store: IdentityStore) -> None:
    binod = replace(ASHA, id=UserId(UUID(int=3)), email=EmailAddress("binod@example.in"))
    await keep(store, ASHA)
    await keep(store, binod)
    async with store.unit_of_work() as uow:
        found = await uow.users.find_all({ASHA.id, binod.id, UserId(UUID(int=4))})
        assert sorted(found, key=lambda user: user.id) == [ASHA, binod]
        assert list(await uow.users.find_all(set())) == []


async def test_an_account_is_found_by_any_spelling_of_its_address(store: IdentityStore) -> None:
    await keep(store, ASHA)
    async with store.unit_of_work() as uow:
        assert await uow.users.find_by_email(EmailAddress("asha.rao@example.in")) == ASHA
        assert await uow.users.find_by_email(EmailAddress("asha@example.in")) is None


async def test_what_is_not_there_is_none(store: IdentityStore) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.users.find(ASHA.id) is None
        assert await uow.users.lock(ASHA.id) is None
        assert await uow.sessions.lock(SESSION.id) is None
    assert await store.reader.find(SESSION.id) is None


async def test_a_taken_address_is_refused_in_any_spelling(store: IdentityStore) -> None:
    await keep(store, ASHA)
    again = replace(ASHA, id=UserId(UUID(int=9)), email=EmailAddress("asha.rao@EXAMPLE.IN"))
    async with store.unit_of_work() as uow:
        with pytest.raises(AlreadyExistsError) as refusal:
            await uow.users.add(again)
        assert refusal.value.reason is Reason.EMAIL_TAKEN


async def test_changes_of_an_account_are_kept(store: IdentityStore) -> None:
    await keep(store, ASHA)
    later = NOW + timedelta(days=1)
    async with store.unit_of_work() as uow:
        user = await uow.users.lock(ASHA.id)
        assert user is not None
        user.keep_hash("$argon2id$new", later)
        user.role = Role.DESIGNER
        user.status = UserStatus.DISABLED
        await uow.users.save(user)
        await uow.commit()
    async with store.unit_of_work() as uow:
        expected = replace(ASHA, password_hash="$argon2id$new", role=Role.DESIGNER, updated_at=later)
        expected.status = UserStatus.DISABLED
        assert await uow.users.find(ASHA.id) == expected


async def test_nothing_is_kept_without_a_commit(store: IdentityStore) -> None:
    async with store.unit_of_work() as uow:
        await uow.users.add(ASHA)
        await uow.sessions.add(SESSION)
    async with store.unit_of_work() as uow:
        assert await uow.users.find(ASHA.id) is None
    assert await store.reader.find(SESSION.id) is None


async def test_a_session_comes_back_as_it_went_in_also_to_the_reader(store: IdentityStore) -> None:
    await keep(store, ASHA, SESSION)
    async with store.unit_of_work() as uow:
        assert await uow.sessions.lock(SESSION.id) == SESSION
    assert await store.reader.find(SESSION.id) == SESSION


async def test_the_end_of_a_session_is_kept(store: IdentityStore) -> None:
    await keep(store, ASHA, SESSION)
    async with store.unit_of_work() as uow:
        session = await uow.sessions.lock(SESSION.id)
        assert session is not None
        session.revoke(NOW + timedelta(minutes=1))
        await uow.sessions.save(session)
        await uow.commit()
    found = await store.reader.find(SESSION.id)
    assert found is not None
    assert found.revoked_at == NOW + timedelta(minutes=1)


async def test_the_sessions_revoked_since_an_instant_are_told_with_that_instant(store: IdentityStore) -> None:
    ends = {10: NOW - timedelta(microseconds=1), 11: NOW, 12: NOW + timedelta(minutes=1), 13: None}
    created = NOW - timedelta(hours=1)
    sessions = [
        Session(SessionId(UUID(int=number)), ASHA.id, created, created + SESSION_LIFE, revoked_at=end)
        for number, end in ends.items()
    ]
    await keep(store, ASHA, *sessions)
    assert {session_id.int for session_id in await store.reader.revoked_since(NOW)} == {11, 12}


async def test_a_user_is_made_a_member_once_and_none_any_more(store: IdentityStore) -> None:
    await keep(store, ASHA)
    house, nobodys, at = DesignerId(UUID(int=20)), DesignerId(UUID(int=22)), NOW
    await store.join(house, ASHA.id)
    async with store.unit_of_work() as uow:
        assert await uow.designer_members.add(house, ASHA.id, at)
        assert not await uow.designer_members.add(nobodys, ASHA.id, at)
        assert await uow.designer_members.designers_of(ASHA.id) == (house,)
        assert [await uow.designer_members.remove(house, ASHA.id) for _ in range(2)] == [True, False]
        assert await uow.designer_members.designers_of(ASHA.id) == ()
        assert await uow.designer_members.add(house, ASHA.id, at)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.designer_members.designers_of(ASHA.id) == (house,)
        assert [await uow.designer_members.remove_all(ASHA.id) for _ in range(2)] == [1, 0]
        assert await uow.designer_members.designers_of(ASHA.id) == ()


async def test_a_user_acts_for_the_houses_that_name_them(store: IdentityStore) -> None:
    await keep(store, ASHA)
    async with store.unit_of_work() as uow:
        assert await uow.designer_members.designers_of(ASHA.id) == ()
    houses = (DesignerId(UUID(int=20)), DesignerId(UUID(int=21)))
    for house in reversed(houses):
        await store.join(house, ASHA.id)
    async with store.unit_of_work() as uow:
        assert await uow.designer_members.designers_of(ASHA.id) == houses
        assert await uow.designer_members.designers_of(UserId(UUID(int=99))) == ()
