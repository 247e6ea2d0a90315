"""Profiles and address books as their ports promise, in memory and in PostgreSQL."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.identity.address_book import MAX_ADDRESSES, Label, SavedAddress
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.user import DisplayName, EmailAddress, User, UserStatus
from kapda.domain.shared.audit import OPERATOR, AuditAction, AuditEntry, AuditFilter, Occasion
from kapda.domain.shared.ids import AddressId, UserId
from kapda.domain.shared.pages import PageRequest
from tests.fakes.profiles import InMemoryProfileUnitOfWork, ProfileTables
from tests.fakes.samples import HOME, NOON

ASHA = User.signed_up(UserId(UUID(int=1)), EmailAddress("asha@example.in"), DisplayName("Asha"), "$hash", NOON)
BINOD = User.signed_up(UserId(UUID(int=2)), EmailAddress("binod@example.in"), DisplayName("Binod"), "$hash", NOON)
NUMBER = PhoneNumber("+919820012345")
WORK = replace(HOME, line1="3 Law College Road")

Opens = Callable[[], ProfileUnitOfWork]


@pytest.fixture(params=["in_memory_profiles", "postgres_profiles"])
def opens(request: pytest.FixtureRequest) -> Opens:
    chosen: Opens = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(autouse=True)
async def accounts(opens: Opens) -> None:
    async with opens() as uow:
        await uow.users.add(ASHA)
        await uow.users.add(BINOD)
        await uow.commit()


@pytest.fixture
def in_memory_profiles() -> Opens:
    tables = ProfileTables()
    return lambda: InMemoryProfileUnitOfWork(tables)


@pytest.fixture
def postgres_profiles(identity_engine: AsyncEngine) -> Opens:
    return lambda: PostgresUnitOfWork(identity_engine)


def entry(number: int) -> AddressId:
    return AddressId(UUID(int=0x500 + number))


async def add(opens: Opens, *numbers: int, user_id: UserId = ASHA.id) -> None:
    async with opens() as uow:
        for number in numbers:
            at = NOON + timedelta(minutes=number)
            assert await uow.addresses.add(user_id, entry(number), Label(f"Door {number}"), HOME, at)
        await uow.commit()


async def book(opens: Opens, user_id: UserId = ASHA.id) -> tuple[SavedAddress, ...]:
    async with opens() as uow:
        return await uow.addresses.all_of(user_id)


async def test_a_new_account_has_a_profile_without_a_number(opens: Opens) -> None:
    async with opens() as uow:
        expected = Profile(ASHA.id, ASHA.email, ASHA.display_name, None, 1, NOON)
        assert await uow.profiles.find(ASHA.id) == await uow.profiles.lock(ASHA.id) == expected
        assert await uow.profiles.find(UserId(UUID(int=99))) is None


async def test_a_changed_profile_comes_back_and_its_account_goes_by_the_new_name(opens: Opens) -> None:
    async with opens() as uow:
        profile = await uow.profiles.lock(ASHA.id)
        assert profile is not None
        changed = replace(profile, display_name=DisplayName("Asha Rao"), phone=NUMBER, version=2)
        await uow.profiles.save(changed, NOON + timedelta(hours=1))
        await uow.commit()
    async with opens() as uow:
        assert await uow.profiles.find(ASHA.id) == changed
        user = await uow.users.find(ASHA.id)
    assert user is not None
    assert (user.display_name.text, user.updated_at) == ("Asha Rao", NOON + timedelta(hours=1))


async def test_the_first_entry_is_preferred_until_another_is(opens: Opens) -> None:
    await add(opens, 1, 2, 3)
    assert [(saved.id, saved.preferred) for saved in await book(opens)] == [
        (entry(1), True),
        (entry(3), False),
        (entry(2), False),
    ]
    async with opens() as uow:
        assert await uow.addresses.prefer(ASHA.id, entry(2), NOON + timedelta(days=1))
        assert await uow.addresses.prefer(ASHA.id, entry(3), NOON + timedelta(days=2))
        await uow.commit()
    assert [saved.id for saved in await book(opens)] == [entry(3), entry(2), entry(1)]


async def test_when_the_preferred_entry_goes_the_one_before_it_is_again(opens: Opens) -> None:
    await add(opens, 1, 2, 3)
    async with opens() as uow:
        await uow.addresses.prefer(ASHA.id, entry(2), NOON + timedelta(days=1))
        await uow.addresses.prefer(ASHA.id, entry(3), NOON + timedelta(days=2))
        assert await uow.addresses.remove(ASHA.id, entry(3))
        assert not await uow.addresses.remove(ASHA.id, entry(3))
        await uow.commit()
    assert [(saved.id, saved.preferred) for saved in await book(opens)] == [(entry(2), True), (entry(1), False)]


async def test_an_entry_is_replaced_only_by_who_saw_it_as_it_is(opens: Opens) -> None:
    await add(opens, 1)
    async with opens() as uow:
        assert not await uow.addresses.update(ASHA.id, entry(1), 2, Label("Work"), WORK)
        assert await uow.addresses.update(ASHA.id, entry(1), 1, Label("Work"), WORK)
        await uow.commit()
    (saved,) = await book(opens)
    assert (saved.label.text, saved.address, saved.version, saved.etag) == ("Work", WORK, 2, "v2")


async def test_a_book_takes_twenty_entries_and_no_more(opens: Opens) -> None:
    await add(opens, *range(MAX_ADDRESSES))
    async with opens() as uow:
        assert not await uow.addresses.add(ASHA.id, entry(90), Label(""), HOME, NOON)
        assert await uow.addresses.add(BINOD.id, entry(91), Label(""), HOME, NOON)


async def test_anothers_entry_is_none(opens: Opens) -> None:
    await add(opens, 1)
    async with opens() as uow:
        assert await uow.addresses.all_of(BINOD.id) == ()
        assert await uow.addresses.find(BINOD.id, entry(1)) is None
        assert not await uow.addresses.update(BINOD.id, entry(1), 1, Label(""), WORK)
        assert not await uow.addresses.prefer(BINOD.id, entry(1), NOON)
        assert not await uow.addresses.remove(BINOD.id, entry(1))
        await uow.commit()
    assert len(await book(opens)) == 1


async def test_a_confirmed_address_shows_in_the_profile_and_in_what_is_exported(opens: Opens) -> None:
    at = NOON + timedelta(minutes=5)
    async with opens() as uow:
        before = await uow.profiles.find(ASHA.id)
        exported = json.loads(await uow.personal_data.export(ASHA.id))["account"]
        assert before is not None
        assert (before.email_confirmed_at, exported["email_confirmed_at"]) == (None, None)
        user = await uow.users.lock(ASHA.id)
        assert user is not None
        user.confirm_email(at)
        await uow.users.save(user)
        await uow.commit()
    async with opens() as uow:
        found, locked = await uow.profiles.find(ASHA.id), await uow.profiles.lock(ASHA.id)
        exported = json.loads(await uow.personal_data.export(ASHA.id))["account"]
    assert found == locked == replace(before, email_confirmed_at=at)
    assert datetime.fromisoformat(exported["email_confirmed_at"]) == at


async def test_traces_beside_the_audit_log_go_with_the_account_and_the_log_stays(opens: Opens) -> None:
    entry = AuditEntry(
        UUID(int=7),
        NOON,
        Occasion(OPERATOR, "call", "why"),
        AuditAction.SESSIONS_ENDED,
        "user",
        ASHA.id,
        {"is": "kept"},
    )
    seen = replace(entry, traces={"client_network": "203.0.113.0/24", "user_agent": ""})
    async with opens() as uow:
        await uow.audit.add(seen)
        await uow.commit()
    async with opens() as uow:
        assert (await uow.audit.list(AuditFilter(), PageRequest())).items == (seen,)
        await uow.personal_data.erase(ASHA.id, NOON + timedelta(days=9))
        await uow.commit()
    async with opens() as uow:
        assert (await uow.audit.list(AuditFilter(), PageRequest())).items == (entry,)


async def test_an_erased_account_stays_as_nobodys_and_its_address_may_sign_up_again(opens: Opens) -> None:
    await add(opens, 1)
    async with opens() as uow:
        await uow.personal_data.erase(ASHA.id, NOON + timedelta(days=9))
        assert await uow.personal_data.open_business(ASHA.id) == OpenBusiness(0, 0, 0)
        await uow.commit()
    async with opens() as uow:
        user = await uow.users.find(ASHA.id)
        assert user is not None
        assert (user.status, user.password_hash) == (UserStatus.DELETED, "")
        assert ASHA.email.text not in user.email.text
        assert ASHA.display_name != user.display_name
        assert await uow.profiles.find(ASHA.id) is None
        assert await uow.addresses.all_of(ASHA.id) == ()
        await uow.users.add(replace(ASHA, id=UserId(UUID(int=3))))
        await uow.commit()
