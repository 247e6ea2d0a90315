"""API keys as their ports promise, in memory and in PostgreSQL; key texts of both kinds."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.adapters.crypto.api_key_texts import RandomApiKeyTexts
from kapda.domain.identity.api_key import ApiKey, ApiKeyText, ApiKeyTexts
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.user import DisplayName, User, UserStatus
from kapda.domain.shared.ids import ApiKeyId, DesignerId, UserId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.api_keys import CountingKeyTexts
from tests.fakes.identity import SettableClock

NOW = SettableClock().now() + timedelta(microseconds=123_456)
SERVICE = User.service(UserId(UUID(int=1)), DisplayName("warehouse"), NOW)
HOUSE = DesignerId(UUID(int=2))
TEXT = ApiKeyText("abcd2345", "s" * 43)
KEY = ApiKey(
    ApiKeyId(UUID(int=10)),
    SERVICE.id,
    "warehouse",
    TEXT.prefix,
    TEXT.digest,
    frozenset({Scope.INVENTORY_READ, Scope.INVENTORY_WRITE}),
    HOUSE,
    created_at=NOW,
    expires_at=NOW + timedelta(days=1),
)
NEXT = replace(KEY, id=ApiKeyId(UUID(int=11)), prefix="abcd2346", designer_id=None, expires_at=None)


async def kept(store: IdentityStore, *keys: ApiKey) -> None:
    """The house, the service and these keys."""
    await store.join(HOUSE, (await a_member(store)).id)
    async with store.unit_of_work() as uow:
        await uow.users.add(SERVICE)
        for key in keys:
            await uow.api_keys.add(key)
        await uow.commit()


async def a_member(store: IdentityStore) -> User:
    member = User.service(UserId(UUID(int=9)), DisplayName("somebody"), NOW)
    async with store.unit_of_work() as uow:
        await uow.users.add(member)
        await uow.commit()
    return member


async def test_a_key_is_found_by_its_prefix_as_it_was_kept(store: IdentityStore) -> None:
    await kept(store, KEY, NEXT)
    async with store.unit_of_work() as uow:
        assert await uow.api_keys.find_by_prefix(KEY.prefix) == KEY
        assert await uow.api_keys.find_by_prefix(NEXT.prefix) == NEXT
        assert await uow.api_keys.lock(KEY.id) == KEY


async def test_a_key_that_is_not_there_is_none(store: IdentityStore) -> None:
    async with store.unit_of_work() as uow:
        assert await uow.api_keys.find_by_prefix("zzzzzzzz") is None
        assert await uow.api_keys.lock(KEY.id) is None


async def test_a_key_of_a_service_that_is_shut_is_not_found_by_its_prefix(store: IdentityStore) -> None:
    await kept(store, KEY)
    async with store.unit_of_work() as uow:
        service = await uow.users.lock(SERVICE.id)
        assert service is not None
        service.status = UserStatus.DISABLED
        await uow.users.save(service)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.api_keys.find_by_prefix(KEY.prefix) is None
        assert await uow.api_keys.lock(KEY.id) == KEY


async def test_the_end_of_a_key_is_kept(store: IdentityStore) -> None:
    await kept(store, KEY, NEXT)
    async with store.unit_of_work() as uow:
        key = await uow.api_keys.lock(KEY.id)
        assert key is not None
        key.revoke(NOW)
        key.give_way(NEXT, timedelta(hours=1), NOW)
        await uow.api_keys.save(key)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.api_keys.lock(KEY.id) == key


async def test_pages_go_from_the_newest_to_the_oldest(store: IdentityStore) -> None:
    await kept(store, KEY, NEXT)
    async with store.unit_of_work() as uow:
        first = await uow.api_keys.list(PageRequest(1))
        second = await uow.api_keys.list(PageRequest(1, first.next_cursor))
    assert (first.items, second.items, second.next_cursor) == ((NEXT,), (KEY,), None)


async def test_one_becomes_a_member_of_a_house_that_exists_and_of_no_other(store: IdentityStore) -> None:
    await kept(store)
    async with store.unit_of_work() as uow:
        assert await uow.designer_members.add(HOUSE, SERVICE.id, NOW)
        assert not await uow.designer_members.add(DesignerId(UUID(int=0xBAD)), SERVICE.id, NOW)
        assert await uow.designer_members.designers_of(SERVICE.id) == (HOUSE,)


@pytest.mark.parametrize("texts", [CountingKeyTexts(), RandomApiKeyTexts()], ids=["counting", "random"])
def test_texts_differ_and_are_read_back_from_what_a_call_brings(texts: ApiKeyTexts) -> None:
    made = [texts.new() for _ in range(20)]
    assert len({text.prefix for text in made}) == len({text.secret for text in made}) == 20
    for text in made:
        assert ApiKeyText.parse(text.text) == text
        assert len(text.digest) == 32
        assert text.secret not in repr(text)
