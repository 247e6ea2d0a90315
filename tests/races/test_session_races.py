"""F44, F45: refreshes race each other, replays, and everything that ends sessions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.refresh import SessionTokens
from kapda.domain.identity.use_cases.change_password import ChangePassword, ChangePasswordCommand
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.log_in import LogIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import Occasion
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.container import Container
from tests.fakes.identity import ReadablePasswordHasher
from tests.fakes.log_ins import open_guard
from tests.shop.desk import a_proof
from tests.shop.devices import Device, is_let_in, sign_in
from tests.shop.gate import at_once
from tests.shop.links import link
from tests.shop.shop import Shop, new_request

TABS = 5
PASSWORD = "Nine-yards-of-indigo-9"
ROUNDS = 8


async def no_process_lets_in(shop: Shop, *tokens: SessionTokens) -> bool:
    return not any([await is_let_in(container, each) for container in shop.containers for each in tokens])


async def audited(shop: Shop, device: Device) -> int:
    return await shop.count(
        "audit_entries WHERE subject_id = :user AND action = 'REFRESH_TOKEN_REUSED' AND details ->> 'session_id' = :id",
        id=str(device.session.id),
        user=device.session.user_id,
    )


async def test_tabs_that_wake_together_all_go_on_in_one_session(shop: Shop) -> None:
    device = await sign_in(shop, await shop.customer())
    woken = await at_once([device.refresh] * TABS)
    assert len(woken.answers) == TABS
    assert len({tokens.refresh_token.secret for tokens in woken.answers}) == TABS
    for tokens in woken.answers:
        assert await is_let_in(shop.door(), tokens)
        await device.refresh(tokens.refresh_token.secret)
    assert await shop.count("sessions WHERE user_id = :id", id=device.session.user_id) == 1
    assert await audited(shop, device) == 0


async def test_a_replay_after_the_grace_ends_the_session_for_thief_and_owner(shop: Shop) -> None:
    device = await sign_in(shop, await shop.customer())
    elsewhere = await sign_in(shop, device.session.user_id)
    owners = await device.refresh()
    thiefs = await device.refresh()
    await device.lets_time_pass()
    with pytest.raises(UnauthenticatedError) as refusal:
        await device.refresh()
    assert refusal.value.reason is Reason.REFRESH_TOKEN_REUSED
    assert await no_process_lets_in(shop, device.tokens, owners, thiefs)
    for tokens in (owners, thiefs):
        with pytest.raises(UnauthenticatedError) as over:
            await device.refresh(tokens.refresh_token.secret)
        assert over.value.reason is Reason.SESSION_REVOKED
    assert await is_let_in(shop.door(), elsewhere.tokens)
    assert await audited(shop, device) == 1


async def test_replays_at_the_same_moment_end_the_session_once(shop: Shop) -> None:
    device = await sign_in(shop, await shop.customer())
    owners = await device.refresh()
    await device.lets_time_pass()
    replays = await at_once([device.refresh] * TABS)
    assert replays.answers == []
    assert replays.reasons == {Reason.REFRESH_TOKEN_REUSED: 1, Reason.SESSION_REVOKED: TABS - 1}
    assert await no_process_lets_in(shop, device.tokens, owners)
    assert await audited(shop, device) == 1


async def log_out(shop: Shop, device: Device) -> None:
    await shop.door().log_out().execute(LogOutCommand(device.principal))


async def log_out_everywhere(shop: Shop, device: Device) -> None:
    await shop.door().log_out_everywhere().execute(LogOutEverywhereCommand(device.principal))


async def change_the_password(shop: Shop, device: Device) -> None:
    """From another device, to what it is already: so it may be done many times over, and at the same moment."""
    another = await sign_in(shop, device.session.user_id)
    command = ChangePasswordCommand(another.principal, PASSWORD, PASSWORD)
    await _changing(shop.door()).execute(command)


async def reset_the_password(shop: Shop, device: Device) -> None:
    token = await link(shop, device.session.user_id, LinkPurpose.RESET_PASSWORD)
    whole, passwords = shop.door().reset_password(), ReadablePasswordHasher()
    cheap = replace(whole, changer=replace(whole.changer, passwords=passwords))
    await cheap.execute(ResetPasswordCommand(token.text, PASSWORD))


async def give_another_role(shop: Shop, device: Device) -> None:
    admin = await shop.admin()
    command = SetUserRoleCommand(
        admin, because(admin), a_proof(admin), new_request(), device.session.user_id, Role.BRAND
    )
    await shop.door().set_user_role().execute(command)


async def disable(shop: Shop, device: Device) -> None:
    admin = await shop.admin()
    await (
        shop.door()
        .disable_user()
        .execute(DisableUserCommand(admin, because(admin), new_request(), device.session.user_id))
    )


def because(admin: Principal) -> Occasion:
    return Occasion(admin.actor, "call-12345678", "a race")


async def somebody(shop: Shop) -> UserId:
    """A customer who may be given any role, and whose password is known."""
    user = await shop.customer()
    await shop.sql(
        "UPDATE users SET password_hash = :hash, email_confirmed_at = now() WHERE id = :id",
        hash=f"1:{PASSWORD}",
        id=user,
    )
    return user


ENDS = [log_out, log_out_everywhere, change_the_password, reset_the_password, give_another_role, disable]


@pytest.mark.parametrize("end", ENDS)
async def test_no_refresh_carries_a_token_past_the_end_of_its_session(
    shop: Shop, end: Callable[[Shop, Device], Awaitable[None]]
) -> None:
    for _ in range(ROUNDS):
        device = await sign_in(shop, await somebody(shop))
        given = [device.tokens]
        alive_after_the_end: list[bool] = []

        async def refresh(device: Device = device, given: list[SessionTokens] = given) -> None:
            given.append(await device.refresh())

        async def end_it(
            device: Device = device,
            given: list[SessionTokens] = given,
            alive: list[bool] = alive_after_the_end,
        ) -> None:
            await end(shop, device)
            alive.append(not await no_process_lets_in(shop, *given))

        raced = await at_once([refresh, refresh, end_it, refresh, refresh])
        assert set(raced.reasons) <= {Reason.SESSION_REVOKED}
        assert alive_after_the_end == [False]
        assert await no_process_lets_in(shop, *given)
        for tokens in given:
            with pytest.raises(UnauthenticatedError):
                await device.refresh(tokens.refresh_token.secret)


async def test_everything_that_ends_a_users_sessions_at_once_waits_in_no_ring(shop: Shop) -> None:
    user = await somebody(shop)
    devices = [await sign_in(shop, user) for _ in range(20)]
    ended = await at_once(
        [partial(log_out_everywhere, shop, devices[0])] * 3
        + [partial(change_the_password, shop, devices[0])] * 3
        + [partial(log_out, shop, device) for device in reversed(devices)]
        + [_refreshing(device) for device in devices]
    )
    # A ring would be broken by the database, and told as a lost race.
    assert set(ended.reasons) <= {Reason.SESSION_REVOKED}
    assert await no_process_lets_in(shop, *(device.tokens for device in devices))


def _refreshing(device: Device) -> Callable[[], Awaitable[None]]:
    async def refresh() -> None:
        await device.refresh()

    return refresh


async def test_no_log_in_slips_in_beside_the_end_of_an_account(shop: Shop) -> None:
    for _ in range(ROUNDS):
        user = await somebody(shop)
        (row,) = await shop.sql("SELECT email FROM users WHERE id = :id", id=user)
        device = await sign_in(shop, user)

        async def log_in(email: str = row["email"]) -> SessionTokens:
            return (await _log_in(shop.door()).execute(LogInCommand(email, PASSWORD))).tokens

        log_ins = asyncio.gather(*[log_in() for _ in range(TABS)], return_exceptions=True)
        _, opened = await asyncio.gather(disable(shop, device), log_ins)
        tokens = [each for each in opened if isinstance(each, SessionTokens)]
        refused = [each for each in opened if isinstance(each, UnauthenticatedError)]
        assert len(tokens) + len(refused) == TABS
        assert await no_process_lets_in(shop, *tokens)
        assert await shop.count("sessions WHERE user_id = :id AND revoked_at IS NULL", id=user) == 0


def _log_in(container: Container) -> LogIn:
    """Log-in with passwords that cost nothing, so that it is the transactions that race."""
    return LogIn(
        container.unit_of_work,
        open_guard(container.unit_of_work, container.ids(), container.clock()),
        ReadablePasswordHasher(),
        container.token_issuer(),
        container.ids(),
        container.clock(),
    )


def _changing(container: Container) -> ChangePassword:
    """The container's own, with passwords that cost nothing."""
    whole, passwords = container.change_password(), ReadablePasswordHasher()
    guard = open_guard(container.unit_of_work, container.ids(), container.clock())
    return replace(
        whole,
        confirmation=replace(whole.confirmation, guard=guard, passwords=passwords),
        changer=replace(whole.changer, passwords=passwords),
    )
