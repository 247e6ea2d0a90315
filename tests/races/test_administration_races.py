"""Admins who take each other's power at the same moment, and accounts that are shut while their owner signs in."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKeyCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import Occasion
from kapda.domain.shared.errors import PermissionDeniedError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import UserId
from tests.shop.desk import a_proof
from tests.shop.gate import at_once
from tests.shop.shop import Shop, new_request

PASSWORD = "corridor-lantern-41-peacock"


def _because(principal: Principal) -> Occasion:
    return Occasion(principal.actor, "call-12345678", "a test of power")


async def _demote(shop: Shop, by: Principal, whom: UserId) -> None:
    command = SetUserRoleCommand(by, _because(by), a_proof(by), new_request(), whom, Role.CUSTOMER)
    await shop.door().set_user_role().execute(command)


async def _service(shop: Shop, by: Principal) -> UserId:
    command = IssueApiKeyCommand(_because(by), None, "refunds", frozenset({Scope.REFUND}), None)
    return (await shop.door().issue_api_key().execute(command)).key.service_id


async def _give_key(shop: Shop, by: Principal, whom: UserId) -> None:
    await shop.door().issue_signing_key().execute(IssueSigningKeyCommand(_because(by), a_proof(by), whom))


async def test_of_two_admins_who_demote_each_other_one_stays(shop: Shop) -> None:
    await shop.sql("UPDATE users SET role = 'customer' WHERE role = 'admin'")
    for _ in range(10):
        first, second = await shop.admin(), await shop.admin()

        outcomes = await at_once(
            [partial(_demote, shop, first, second.user_id), partial(_demote, shop, second, first.user_id)]
        )

        assert outcomes.reasons == {Reason.ROLE_NOT_ALLOWED: 1}
        assert await shop.count("users WHERE role = 'admin' AND status = 'active'") == 1
        await shop.sql("UPDATE users SET role = 'customer' WHERE role = 'admin'")


async def test_of_ten_admins_who_all_demote_the_next_one_stays_at_least(shop: Shop) -> None:
    await shop.sql("UPDATE users SET role = 'customer' WHERE role = 'admin'")
    admins = [await shop.admin() for _ in range(10)]
    circle = zip(admins, [*admins[1:], admins[0]], strict=True)

    await at_once([partial(_demote, shop, by, whom.user_id) for by, whom in circle])

    assert await shop.count("users WHERE role = 'admin' AND status = 'active'") >= 1
    assert await shop.count("audit_entries WHERE action = 'ROLE_SET'") >= 1


async def test_admins_who_demote_each_other_while_their_keys_sign_meet_no_deadlock(shop: Shop) -> None:
    for _ in range(10):
        first, second = await shop.admin(), await shop.admin()
        service = await _service(shop, first)

        outcomes = await at_once(
            [
                partial(_demote, shop, first, second.user_id),
                partial(_demote, shop, second, first.user_id),
                *(partial(_give_key, shop, by, whom) for by in (first, second) for whom in (service, first.user_id)),
            ]
        )

        assert outcomes.reasons.keys() <= {
            Reason.ROLE_NOT_ALLOWED,
            Reason.SIGNATURE_INVALID,
            Reason.USER_CANNOT_SIGN,
        }
        assert outcomes.reasons[Reason.ROLE_NOT_ALLOWED] == 1
        demoted = (
            "signing_keys k JOIN users u ON u.id = k.user_id WHERE u.role = 'customer' AND u.id IN (:first, :second)"
        )
        both = {"first": first.user_id, "second": second.user_id}
        assert await shop.count(demoted, **both) > 0
        assert await shop.count(f"{demoted} AND k.revoked_at IS NULL", **both) == 0


async def test_taking_an_admins_power_waits_for_what_the_admins_key_has_under_way(shop: Shop) -> None:
    first, second = await shop.admin(), await shop.admin()
    async with shop.door().unit_of_work() as uow:
        await uow.nonces.spend(a_proof(second))
        demoting = asyncio.create_task(_demote(shop, first, second.user_id))
        done, _ = await asyncio.wait((demoting,), timeout=0.3)
        assert not done
        await uow.commit()
    await demoting
    async with shop.door().unit_of_work() as uow:
        with pytest.raises(PermissionDeniedError) as refused:
            await uow.nonces.spend(a_proof(second))
    assert refused.value.reason is Reason.SIGNATURE_INVALID


async def test_no_log_in_slips_in_behind_the_end_of_an_account(shop: Shop) -> None:
    admin = await shop.admin()
    for _ in range(4):
        email = f"{uuid4().hex}@example.com"
        made = await shop.container.sign_up().execute(SignUpCommand(email, PASSWORD, "Asha"))
        disable = DisableUserCommand(admin, _because(admin), new_request(), made.user.id)
        given: list[str] = []

        async def sign_in(email: str = email, given: list[str] = given) -> None:
            begun = await shop.door().log_in().execute(LogInCommand(email, PASSWORD))
            given.append(begun.tokens.access_token.text)

        async def shut(disable: DisableUserCommand = disable) -> None:
            await shop.door().disable_user().execute(disable)

        calls: list[Callable[[], Awaitable[None]]] = [sign_in, sign_in, shut, sign_in]
        await at_once(calls)

        for token in (made.tokens.access_token.text, *given):
            for door in shop.containers:
                with pytest.raises(UnauthenticatedError) as refusal:
                    await door.authenticate().execute(AuthenticateCommand(token))
                assert refusal.value.reason is Reason.SESSION_REVOKED
        assert await shop.count("sessions WHERE user_id = :id AND revoked_at IS NULL", id=made.user.id) == 0
