import pytest

from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordCheck
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.user import UserStatus
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from tests.fakes.identity import ReadablePasswordHasher
from tests.use_cases.identity.conftest import ASHA, IdentityHouse


async def test_the_password_opens_a_new_session(house: IdentityHouse) -> None:
    user = (await house.sign_up.execute(ASHA)).user
    logged_in = await house.log_in.execute(LogInCommand("Asha@Example.in", ASHA.password))
    principal = await house.authenticate.execute(AuthenticateCommand(logged_in.tokens.access_token.text))
    assert logged_in.user == user
    assert principal.user_id == user.id
    assert len(house.tables.sessions) == 2


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ASHA.email, "kurta-and-9-yards"),
        ("nobody@example.in", ASHA.password),
        ("no address at all", ASHA.password),
    ],
)
async def test_every_wrong_log_in_gets_one_answer_for_one_hashing(
    house: IdentityHouse, email: str, password: str
) -> None:
    await house.sign_up.execute(ASHA)
    with pytest.raises(UnauthenticatedError) as refusal:
        await house.log_in.execute(LogInCommand(email, password))
    assert refusal.value.reason is Reason.CREDENTIALS_INVALID
    assert refusal.value.message == "wrong e-mail address or password"
    assert refusal.value.metadata == {}
    assert len(house.passwords.checked) == 1
    assert len(house.tables.sessions) == 1


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
async def test_an_account_that_is_not_active_is_answered_like_a_wrong_password(
    house: IdentityHouse, status: UserStatus
) -> None:
    user = (await house.sign_up.execute(ASHA)).user
    house.tables.users[user.id].status = status
    with pytest.raises(UnauthenticatedError) as refusal:
        await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
    assert (refusal.value.reason, refusal.value.message) == (
        Reason.CREDENTIALS_INVALID,
        "wrong e-mail address or password",
    )
    assert len(house.passwords.checked) == 1
    assert len(house.tables.sessions) == 1


async def test_an_old_hash_is_made_anew_by_whoever_knows_the_password(house: IdentityHouse) -> None:
    user = (await house.sign_up.execute(ASHA)).user
    house.passwords.generation = 2
    await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
    assert house.tables.users[user.id].password_hash == f"2:{ASHA.password}"
    with pytest.raises(UnauthenticatedError):
        await house.log_in.execute(LogInCommand(ASHA.email, "guess"))


@pytest.mark.parametrize("change", [{"password_hash": "1:another"}, {"status": UserStatus.DISABLED}])
async def test_an_account_changed_during_the_check_opens_nothing(
    house: IdentityHouse, change: dict[str, object]
) -> None:
    user = (await house.sign_up.execute(ASHA)).user

    class ChangedMeanwhile(ReadablePasswordHasher):
        async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
            for name, value in change.items():
                setattr(house.tables.users[user.id], name, value)
            return await super().check(password, password_hash)

    house.passwords = ChangedMeanwhile()
    with pytest.raises(UnauthenticatedError) as refusal:
        await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
    assert refusal.value.reason is Reason.CREDENTIALS_INVALID
    assert len(house.tables.sessions) == 1
