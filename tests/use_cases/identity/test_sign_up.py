from dataclasses import replace
from typing import Any

import pytest

from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import AlreadyExistsError, DomainError, Reason
from kapda.domain.shared.mails import MailKind
from tests.use_cases.identity.conftest import ASHA, IdentityHouse


async def test_a_new_account_is_a_customer_signed_in_at_once(house: IdentityHouse) -> None:
    signed_up = await house.sign_up.execute(ASHA)
    principal = await house.authenticate.execute(AuthenticateCommand(signed_up.tokens.access_token.text))
    assert principal.user_id == signed_up.user.id
    assert principal.role is Role.CUSTOMER
    assert list(house.tables.users) == [signed_up.user.id]
    assert list(house.tables.sessions) == [principal.session_id]


async def test_only_a_hash_of_the_password_is_kept(house: IdentityHouse) -> None:
    signed_up = await house.sign_up.execute(ASHA)
    assert house.tables.users[signed_up.user.id].password_hash == f"1:{ASHA.password}"
    assert ASHA.password not in repr((ASHA, signed_up))


async def test_a_new_account_is_mailed_once_to_confirm_its_address(house: IdentityHouse) -> None:
    signed_up = await house.sign_up.execute(ASHA)
    assert signed_up.user.email_confirmed_at is None
    (row,) = house.tables.mails.values()
    mail = row.mail
    assert (mail.kind, mail.user_id, mail.address) == (MailKind.CONFIRM_EMAIL, signed_up.user.id, None)
    assert row.next_attempt_at == mail.queued_at == house.clock.now()


async def test_a_taken_address_is_refused_in_any_spelling_and_nothing_is_kept(house: IdentityHouse) -> None:
    await house.sign_up.execute(ASHA)
    with pytest.raises(AlreadyExistsError) as refusal:
        await house.sign_up.execute(replace(ASHA, email="ASHA@example.in"))
    assert refusal.value.reason is Reason.EMAIL_TAKEN
    assert len(house.tables.users) == len(house.tables.sessions) == len(house.tables.mails) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": "asha"}, Reason.VALIDATION_FAILED),
        ({"display_name": " "}, Reason.VALIDATION_FAILED),
        ({"password": "short"}, Reason.PASSWORD_TOO_WEAK),
        ({"password": "Password1"}, Reason.PASSWORD_TOO_WEAK),
        ({"password": "asha.from.pune@example.in", "email": "asha.from.pune@example.in"}, Reason.PASSWORD_TOO_WEAK),
    ],
)
async def test_a_bad_part_refuses_the_whole(house: IdentityHouse, change: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(DomainError) as refusal:
        await house.sign_up.execute(replace(ASHA, **change))
    assert refusal.value.reason is reason
    assert house.tables.users == {}
    assert house.tables.sessions == {}
    assert house.tables.mails == {}
