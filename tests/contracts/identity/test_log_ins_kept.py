"""Log-ins that succeeded as their port promises, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Attempt, Outcome
from kapda.domain.identity.log_in_ports import SuccessfulLogIn
from kapda.domain.identity.refresh import RefreshSecret, RefreshToken
from kapda.domain.identity.session import Contact, Session
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.ids import SessionId, UserId
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.identity import SettableClock

NOW = SettableClock().now() + timedelta(microseconds=123_456)
HOME = Contact(ClientNetwork("203.0.113.0/24"), "Kapda for Android")
SESSION = Session.start(SessionId(UUID(int=10)), UserId(UUID(int=1)), NOW, HOME)
TOKEN = RefreshToken.of(RefreshSecret("r" * 43), SESSION, NOW)
ATTEMPT = Attempt(UUID(int=20), "d" * 32, HOME.network)
LOG_IN = SuccessfulLogIn(SESSION, TOKEN, ATTEMPT, "the hash")


def asha() -> User:
    user = User.signed_up(SESSION.user_id, EmailAddress("asha@example.in"), DisplayName("Asha"), "the hash", NOW)
    user.role = Role.DESIGNER
    return user


async def add(store: IdentityStore, user: User) -> None:
    async with store.unit_of_work() as uow:
        await uow.users.add(user)
        await uow.log_in_attempts.record(replace(ATTEMPT, id=UUID(int=19)), Outcome.FAILED)
        await uow.commit()


async def keep(store: IdentityStore) -> Role | None:
    async with store.unit_of_work() as uow:
        role = await uow.log_ins.keep(LOG_IN)
        await uow.commit()
    return role


async def test_all_of_it_is_kept_and_the_role_told(store: IdentityStore) -> None:
    await add(store, asha())
    assert await keep(store) is Role.DESIGNER
    assert await store.reader.find(SESSION.id) == SESSION
    async with store.unit_of_work() as uow:
        assert await uow.refresh_tokens.find(TOKEN.digest) == TOKEN
        assert await uow.log_in_attempts.recent(ATTEMPT.identifier) == []
        assert await uow.known_networks.knows(asha().email, HOME.network)


@pytest.mark.parametrize("change", [{"status": UserStatus.DISABLED}, {"password_hash": "another"}, {"id": UUID(int=2)}])
async def test_nothing_is_kept_of_an_account_that_is_another_by_now(
    store: IdentityStore, change: dict[str, object]
) -> None:
    user = asha()
    for name, value in change.items():
        setattr(user, name, value)
    await add(store, user)
    assert await keep(store) is None
    assert await store.reader.find(SESSION.id) is None
    async with store.unit_of_work() as uow:
        assert await uow.refresh_tokens.find(TOKEN.digest) is None
        assert [past.outcome for past in await uow.log_in_attempts.recent(ATTEMPT.identifier)] == [Outcome.FAILED]
        assert not await uow.known_networks.knows(user.email, HOME.network)
