from datetime import timedelta

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.refresh import (
    GRACE,
    MAX_REFRESHES,
    MAX_SUCCESSORS,
    REFRESHES_WITHIN,
    RefreshSecret,
    SessionTokens,
)
from kapda.domain.identity.session import REFRESH_TOKEN_LIFE, SESSION_LIFE, Contact
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.refresh_session import RefreshSessionCommand
from kapda.domain.identity.user import Role, UserStatus
from kapda.domain.shared.audit import AuditAction
from kapda.domain.shared.errors import DomainError, Reason
from tests.use_cases.identity.conftest import ASHA, IdentityHouse

PHONE = Contact(ClientNetwork("203.0.113.0/24"), "Kapda for Android")
AFTER_GRACE = GRACE + timedelta(seconds=1)


async def signed_up(house: IdentityHouse) -> SessionTokens:
    return (await house.sign_up.execute(ASHA)).tokens


async def refreshed(house: IdentityHouse, tokens: SessionTokens) -> SessionTokens:
    command = RefreshSessionCommand(tokens.refresh_token.secret, "call-7", PHONE)
    return await house.refresh_session.execute(command)


async def refusal(house: IdentityHouse, tokens: SessionTokens) -> Reason:
    with pytest.raises(DomainError) as refused:
        await refreshed(house, tokens)
    return refused.value.reason


async def lets_in(house: IdentityHouse, tokens: SessionTokens) -> bool:
    try:
        await house.authenticate.execute(AuthenticateCommand(tokens.access_token.text))
    except DomainError:
        return False
    return True


async def test_a_refresh_token_gets_the_next_pair_of_the_same_session(house: IdentityHouse) -> None:
    first = await signed_up(house)
    house.clock.advance(timedelta(minutes=14))
    second = await refreshed(house, first)
    (session,) = house.tables.sessions.values()
    principal = await house.authenticate.execute(AuthenticateCommand(second.access_token.text))
    assert principal.session_id == session.id
    assert second.refresh_token.secret != first.refresh_token.secret
    assert second.refresh_token.expires_at == session.expires_at == house.clock.now() + REFRESH_TOKEN_LIFE
    assert (session.refreshed_at, session.refreshed_from) == (house.clock.now(), PHONE)


async def test_a_session_lives_on_by_being_used_and_ends_after_thirty_days_all_the_same(house: IdentityHouse) -> None:
    began = house.clock.now()
    tokens = await signed_up(house)
    for _ in range(5):
        house.clock.advance(timedelta(days=6))
        if house.clock.now() == began + SESSION_LIFE:
            break
        tokens = await refreshed(house, tokens)
    assert tokens.refresh_token.expires_at == began + SESSION_LIFE
    assert await refusal(house, tokens) is Reason.SESSION_REVOKED


async def test_a_token_not_used_for_a_week_gets_nothing(house: IdentityHouse) -> None:
    tokens = await signed_up(house)
    house.clock.advance(REFRESH_TOKEN_LIFE)
    assert await refusal(house, tokens) is Reason.SESSION_REVOKED


async def test_an_older_token_that_has_run_out_while_its_session_goes_on_is_simply_unknown(
    house: IdentityHouse,
) -> None:
    first = await signed_up(house)
    house.clock.advance(timedelta(days=6))
    second = await refreshed(house, first)
    house.clock.advance(timedelta(days=2))
    assert await refusal(house, first) is Reason.REFRESH_TOKEN_INVALID
    await refreshed(house, second)


@pytest.mark.parametrize("text", ["", "refresh-99", "header.claims.signature"])
async def test_what_was_never_given_out_gets_nothing(house: IdentityHouse, text: str) -> None:
    await signed_up(house)
    with pytest.raises(DomainError) as refused:
        await house.refresh_session.execute(RefreshSessionCommand(RefreshSecret(text), "call-7"))
    assert refused.value.reason is Reason.REFRESH_TOKEN_INVALID


async def test_neither_kind_of_token_does_the_others_work(house: IdentityHouse) -> None:
    tokens = await signed_up(house)
    with pytest.raises(DomainError) as refused:
        await house.authenticate.execute(AuthenticateCommand(tokens.refresh_token.secret.text))
    assert refused.value.reason is Reason.TOKEN_INVALID
    access = RefreshSecret(tokens.access_token.text)
    with pytest.raises(DomainError) as refused:
        await house.refresh_session.execute(RefreshSessionCommand(access, "call-7"))
    assert refused.value.reason is Reason.REFRESH_TOKEN_INVALID


async def test_within_the_grace_a_used_token_gets_another_pair(house: IdentityHouse) -> None:
    first = await signed_up(house)
    one = await refreshed(house, first)
    house.clock.advance(GRACE)
    other = await refreshed(house, first)
    assert await lets_in(house, one)
    assert await lets_in(house, other)
    assert len(house.tables.sessions) == 1


async def test_a_token_makes_no_more_pairs_than_a_browser_has_tabs(house: IdentityHouse) -> None:
    first = await signed_up(house)
    made = [await refreshed(house, first) for _ in range(MAX_SUCCESSORS)]
    assert await refusal(house, first) is Reason.RATE_LIMITED
    await refreshed(house, made[-1])


async def test_a_session_is_refreshed_so_often_in_a_time_and_no_oftener(house: IdentityHouse) -> None:
    elsewhere = await signed_up(house)
    tokens = (await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))).tokens
    chain = [tokens]
    for _ in range(MAX_REFRESHES):
        chain.append(await refreshed(house, chain[-1]))
    for _ in range(3):
        assert await refusal(house, chain[-1]) is Reason.RATE_LIMITED
    await refreshed(house, elsewhere)
    house.clock.advance(REFRESHES_WITHIN)
    await refreshed(house, chain[-1])


async def test_a_replay_ends_a_session_that_was_refreshed_too_often(house: IdentityHouse) -> None:
    chain = [await signed_up(house)]
    for _ in range(MAX_REFRESHES):
        chain.append(await refreshed(house, chain[-1]))
    house.clock.advance(AFTER_GRACE)
    assert await refusal(house, chain[-1]) is Reason.RATE_LIMITED
    assert await refusal(house, chain[0]) is Reason.REFRESH_TOKEN_REUSED
    assert not await lets_in(house, chain[-1])


async def test_a_replay_ends_the_session_for_whoever_holds_its_tokens(house: IdentityHouse) -> None:
    first = await signed_up(house)
    elsewhere = (await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))).tokens
    second = await refreshed(house, first)
    house.clock.advance(AFTER_GRACE)
    assert await refusal(house, first) is Reason.REFRESH_TOKEN_REUSED
    assert await refusal(house, second) is await refusal(house, first) is Reason.SESSION_REVOKED
    assert not await lets_in(house, first)
    assert not await lets_in(house, second)
    assert await lets_in(house, elsewhere)
    (entry,) = house.tables.audit
    assert (entry.action, entry.occasion.call_id) == (AuditAction.REFRESH_TOKEN_REUSED, "call-7")
    principal = house.access_tokens.verify(second.access_token.text).principal
    assert entry.subject_id == entry.occasion.actor.id == principal.user_id
    assert entry.details == {"session_id": str(principal.session_id)}
    assert entry.traces == {
        "client_network": "203.0.113.0/24",
        "user_agent": "Kapda for Android",
    }


async def test_a_replay_while_the_revoked_tokens_cannot_be_reached_ends_the_session_too(house: IdentityHouse) -> None:
    first = await signed_up(house)
    second = await refreshed(house, first)
    house.clock.advance(AFTER_GRACE)
    house.revoked_tokens.reachable = False
    assert await refusal(house, first) is Reason.REFRESH_TOKEN_REUSED
    assert not await lets_in(house, second)


async def test_a_logged_out_session_is_not_refreshed(house: IdentityHouse) -> None:
    tokens = await signed_up(house)
    principal = await house.authenticate.execute(AuthenticateCommand(tokens.access_token.text))
    await house.log_out.execute(LogOutCommand(principal))
    assert await refusal(house, tokens) is Reason.SESSION_REVOKED
    assert house.tables.audit == []


async def test_the_new_token_has_the_role_of_now(house: IdentityHouse) -> None:
    tokens = await signed_up(house)
    (user,) = house.tables.users.values()
    user.role = Role.DESIGNER
    access = (await refreshed(house, tokens)).access_token.text
    assert (await house.authenticate.execute(AuthenticateCommand(access))).role is Role.DESIGNER


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
async def test_the_refresh_of_an_account_that_is_not_active_is_refused_and_ends_all_its_sessions(
    house: IdentityHouse, status: UserStatus
) -> None:
    tokens = await signed_up(house)
    elsewhere = (await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))).tokens
    (user,) = house.tables.users.values()
    user.status = status
    assert await refusal(house, tokens) is Reason.SESSION_REVOKED
    assert not await lets_in(house, tokens)
    assert not await lets_in(house, elsewhere)
    assert all(session.revoked_at == house.clock.now() for session in house.tables.sessions.values())
