"""When keys were last used, as the port promises: in memory and behind the calls in PostgreSQL."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.api_keys import PostgresKeyUses
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.identity.api_key import USE_NOTED_EVERY, ApiKey, ApiKeyText
from kapda.domain.identity.key_ports import KeyUses
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.user import DisplayName, User
from kapda.domain.shared.ids import ApiKeyId, UserId
from tests.fakes.api_keys import RememberedKeyUses
from tests.fakes.identity import SettableClock

NOW = SettableClock().now()
SERVICE = User.service(UserId(UUID(int=1)), DisplayName("warehouse"), NOW)
ONE, OTHER, NOBODYS = (ApiKeyId(UUID(int=number)) for number in (10, 11, 12))


@dataclass(frozen=True)
class Noted:
    """The port, and when a key was last used by what has been written down in the end."""

    uses: KeyUses
    last: Callable[[ApiKeyId], Awaitable[datetime | None]]


@pytest.fixture(params=["in_memory_uses", "postgres_uses"])
def noted(request: pytest.FixtureRequest) -> Noted:
    chosen: Noted = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def in_memory_uses() -> Noted:
    uses = RememberedKeyUses()

    async def last(key_id: ApiKeyId) -> datetime | None:
        return max((at for noted, at in uses.noted if noted == key_id), default=None)

    return Noted(uses, last)


@pytest.fixture
async def postgres_uses(identity_engine: AsyncEngine) -> Noted:
    async with PostgresUnitOfWork(identity_engine) as uow:
        await uow.users.add(SERVICE)
        for key_id, prefix in ((ONE, "abcd2345"), (OTHER, "abcd2346")):
            text = ApiKeyText(prefix, "s" * 43)
            scopes = frozenset({Scope.INVENTORY_READ})
            await uow.api_keys.add(
                ApiKey(key_id, SERVICE.id, "warehouse", text.prefix, text.digest, scopes, None, NOW, None)
            )
        await uow.commit()
    uses = PostgresKeyUses(identity_engine)

    async def last(key_id: ApiKeyId) -> datetime | None:
        await uses.aclose()
        async with PostgresUnitOfWork(identity_engine) as uow:
            found = await uow.api_keys.lock(key_id)
            return None if found is None else found.last_used_at

    return Noted(uses, last)


async def test_a_use_is_written_down_for_its_key_alone(noted: Noted) -> None:
    noted.uses.note(ONE, NOW)
    assert (await noted.last(ONE), await noted.last(OTHER)) == (NOW, None)


async def test_the_last_of_many_uses_is_known_give_or_take_the_time_between_two_notes(noted: Noted) -> None:
    uses = [NOW + timedelta(seconds=10 * number) for number in range(30)]
    for at in uses:
        noted.uses.note(ONE, at)
        noted.uses.note(OTHER, at)
        if at == uses[15]:
            await noted.last(ONE)
    for key_id in (ONE, OTHER):
        last = await noted.last(key_id)
        assert last is not None
        assert uses[-1] - USE_NOTED_EVERY <= last <= uses[-1]


async def test_a_use_of_a_key_that_is_not_there_is_nobodys_trouble(noted: Noted) -> None:
    noted.uses.note(NOBODYS, NOW)
    noted.uses.note(ONE, NOW)
    assert await noted.last(ONE) == NOW
