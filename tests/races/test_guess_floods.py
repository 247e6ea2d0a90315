"""Guesses at passwords against the real log-in: how many are looked at, and who gets in."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from dependency_injector import providers
from sqlalchemy import text

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordCheck, PasswordHasher
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.change_password import ChangePasswordCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmailCommand
from kapda.domain.identity.use_cases.log_in import LoggedIn, LogInCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
from kapda.domain.identity.use_cases.unlock_user import UnlockUserCommand
from kapda.domain.identity.user import EmailAddress, Role
from kapda.domain.shared.audit import Occasion
from kapda.domain.shared.errors import DomainError, Reason
from kapda.domain.shared.ids import RequestId, SessionId
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from tests.shop.gate import at_once
from tests.shop.shop import settings_for

HOME = Contact(ClientNetwork("203.0.113.0/24"))
ABROAD = Contact(ClientNetwork("198.51.100.0/24"))
OWNED, DISABLED, NOBODYS = "asha@example.in", "binod@example.in", "nobody@example.in"
PASSWORD = "Nine-yards-of-indigo-9"


class CountedHasher:
    """The real hasher, with its checks counted."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.checks = 0

    async def hash(self, password: Password) -> str:
        return await self._hasher.hash(password)

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        self.checks += 1
        return await self._hasher.check(password, password_hash)

    def close(self) -> None:
        getattr(self._hasher, "close")()  # noqa: B009 - not part of the port


class House:
    """A container on a real PostgreSQL and Valkey, with Asha's and Binod's accounts; Binod's is disabled."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.hasher = CountedHasher(container.password_hasher())
        container.password_hasher.override(providers.Object(self.hasher))

    async def open(self) -> None:
        for email in (OWNED, DISABLED):
            await self.container.sign_up().execute(SignUpCommand(email, PASSWORD, "Somebody", HOME))
        async with self.container.engine().begin() as connection:
            await connection.execute(
                text("UPDATE users SET status = 'disabled' WHERE email_key = :email"), {"email": DISABLED}
            )

    async def try_password(self, email: str, password: str, contact: Contact) -> Reason | None:
        """Why not, or None for who got in."""
        try:
            begun = await self.container.log_in().execute(LogInCommand(email, password, contact))
        except DomainError as error:
            return error.reason
        assert isinstance(begun, LoggedIn)
        return None


@pytest.fixture
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    house = House(Container(settings=settings_for(database_url, redis_url, "http://127.0.0.1:1")))
    await house.open()
    yield house
    await close_container(house.container)


@pytest.mark.parametrize("email", [OWNED, NOBODYS])
async def test_of_a_hundred_wrong_passwords_at_once_five_are_looked_at(house: House, email: str) -> None:
    gate = asyncio.Event()

    async def guess() -> Reason | None:
        await gate.wait()
        return await house.try_password(email, f"guess {uuid4()}", ABROAD)

    guesses = [asyncio.create_task(guess()) for _ in range(100)]
    gate.set()
    reasons = await asyncio.gather(*guesses)
    assert house.hasher.checks == 5
    assert (reasons.count(Reason.CREDENTIALS_INVALID), reasons.count(Reason.LOG_IN_LOCKED)) == (5, 95)
    assert await house.try_password(email, PASSWORD, ABROAD) is Reason.LOG_IN_LOCKED


@pytest.mark.parametrize("method", ["change_password", "delete_my_account", "any of them"])
async def test_of_a_hundred_guesses_at_once_from_a_stolen_session_five_are_looked_at(house: House, method: str) -> None:
    stolen = await house.container.log_in().execute(LogInCommand(OWNED, PASSWORD, HOME))
    principal = await house.container.authenticate().execute(AuthenticateCommand(stolen.tokens.access_token.text))
    change, delete = house.container.change_password(), house.container.delete_my_account()
    house.hasher.checks = 0

    async def by_change() -> None:
        await change.execute(ChangePasswordCommand(principal, f"guess {uuid4()}", "Six-yards-of-madder-6", ABROAD))

    async def by_deletion() -> None:
        await delete.execute(DeleteMyAccountCommand(principal, f"guess {uuid4()}", ABROAD))

    async def by_log_in() -> None:
        await house.container.log_in().execute(LogInCommand(OWNED, f"guess {uuid4()}", ABROAD))

    ways = {"change_password": [by_change], "delete_my_account": [by_deletion]}
    chosen = ways.get(method, [by_change, by_deletion, by_log_in, by_change])
    outcomes = await at_once(chosen * (100 // len(chosen)))
    assert house.hasher.checks == 5
    assert outcomes.reasons == {Reason.CREDENTIALS_INVALID: 5, Reason.LOG_IN_LOCKED: 95}
    assert await house.try_password(OWNED, PASSWORD, ABROAD) is Reason.LOG_IN_LOCKED
    assert await house.try_password(OWNED, PASSWORD, HOME) is None


async def test_the_owner_at_home_gets_in_during_an_attack_and_strangers_need_a_link(house: House) -> None:
    for number in range(25):
        contact = Contact(ClientNetwork(f"10.0.{number}.0/24"))
        assert await house.try_password(OWNED, "guess", contact) is Reason.CREDENTIALS_INVALID
    assert await house.try_password(OWNED, PASSWORD, ABROAD) is Reason.LOG_IN_LINK_NEEDED
    assert await house.try_password(OWNED, PASSWORD, HOME) is None
    assert await house.try_password(OWNED, PASSWORD, ABROAD) is Reason.LOG_IN_LINK_NEEDED


async def test_an_admin_lets_everybody_try_again_in_every_process(house: House) -> None:
    for number in range(25):
        await house.try_password(OWNED, "guess", Contact(ClientNetwork(f"10.0.{number}.0/24")))
    for _ in range(5):
        await house.try_password(OWNED, "guess", HOME)
    assert await house.try_password(OWNED, PASSWORD, HOME) is Reason.LOG_IN_LOCKED
    other = Container(settings=house.container.settings())
    user = await house.container.get_user_by_email().execute(GetUserByEmailCommand(EmailAddress(OWNED)))
    # Asha is no admin; who may call is not for the use case to say.
    principal = Principal(user.id, Role.ADMIN, SessionId(uuid4()))
    occasion = Occasion(principal.actor, "call-12345678", "asked for by phone")
    await other.unlock_user().execute(UnlockUserCommand(principal, occasion, RequestId(uuid4()), user.id))
    await close_container(other)
    assert await house.try_password(OWNED, PASSWORD, ABROAD) is None
    assert await house.try_password(OWNED, PASSWORD, HOME) is None


async def test_unknown_wrong_and_disabled_cost_one_hashing_each(house: House) -> None:
    for email, password in ((OWNED, "guess"), (NOBODYS, "guess"), (DISABLED, PASSWORD)):
        house.hasher.checks = 0
        assert await house.try_password(email, password, ABROAD) is Reason.CREDENTIALS_INVALID
        assert house.hasher.checks == 1
