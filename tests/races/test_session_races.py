"""F44, F45: refreshes race each other, replays, and everything that ends sessions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from kapda.domain.identity.refresh import SessionTokens
from kapda.domain.identity.use_cases.log_in import LogIn, LogInCommand
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.entrypoints.container import Container
from tests.fakes.identity import ReadablePasswordHasher
from tests.fakes.log_ins import open_guard
from tests.shop.devices import Device, is_let_in, sign_in
from tests.shop.gate import at_once
from tests.shop.session_ends import (
    ENDS,
    PASSWORD,
    End,
    change_the_password,
    disable,
    log_out,
    log_out_everywhere,
    refresh_an_account_disabled_by_hand,
    somebody,
    use_a_refresh_token_again,
)
from tests.shop.shop import Shop

TABS = 5
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


# The others are refreshes themselves, which have races of their own above.
RACING = [end for end in ENDS if end.make not in (use_a_refresh_token_again, refresh_an_account_disabled_by_hand)]


@pytest.mark.parametrize("end", RACING, ids=str)
async def test_no_refresh_carries_a_token_past_the_end_of_its_session(shop: Shop, end: End) -> None:
    for _ in range(ROUNDS):
        user = await somebody(shop)
        device, elsewhere = await sign_in(shop, user), await sign_in(shop, user)
        given = [device.tokens]
        alive_after_the_end: list[bool] = []

        async def refresh(device: Device = device, given: list[SessionTokens] = given) -> None:
            given.append(await device.refresh())

        async def end_it(
            device: Device = device,
            elsewhere: Device = elsewhere,
            given: list[SessionTokens] = given,
            alive: list[bool] = alive_after_the_end,
        ) -> None:
            await end.make(shop, device, elsewhere)
            alive.append(not await no_process_lets_in(shop, *given))

        calls: list[Callable[[], Awaitable[None]]] = [refresh, refresh, end_it, refresh, refresh]
        raced = await at_once(calls)
        assert set(raced.reasons) <= {Reason.SESSION_REVOKED}
        assert alive_after_the_end == [False]
        assert await no_process_lets_in(shop, *given)
        for tokens in given:
            with pytest.raises(UnauthenticatedError):
                await device.refresh(tokens.refresh_token.secret)


async def test_everything_that_ends_a_users_sessions_at_once_waits_in_no_ring(shop: Shop) -> None:
    user = await somebody(shop)
    devices, another = [await sign_in(shop, user) for _ in range(20)], await sign_in(shop, user)
    ended = await at_once(
        [partial(log_out_everywhere, shop, devices[0], another)] * 3
        + [partial(change_the_password, shop, devices[0], another)] * 3
        + [partial(log_out, shop, device, another) for device in reversed(devices)]
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
        _, opened = await asyncio.gather(disable(shop, device, device), log_ins)
        tokens = [each for each in opened if isinstance(each, SessionTokens)]
        refused = [each for each in opened if isinstance(each, UnauthenticatedError)]
        assert len(tokens) + len(refused) == TABS
        assert await no_process_lets_in(shop, *tokens)
        assert await shop.count("sessions WHERE user_id = :id AND revoked_at IS NULL", id=user) == 0


def _log_in(container: Container) -> LogIn:
    """Log-in with passwords that cost nothing, so that it is the transactions that race."""
    guard = open_guard(container.unit_of_work, container.ids(), container.clock())
    return replace(container.log_in(), guard=guard, passwords=ReadablePasswordHasher())
