from dataclasses import replace
from uuid import UUID

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import REVOCATION_MEMORY
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.end_session import EndSessionCommand
from kapda.domain.identity.use_cases.list_sessions import ListSessionsCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.shared.errors import NotFoundError, UnauthenticatedError
from kapda.domain.shared.ids import SessionId
from kapda.domain.shared.pages import PageRequest
from tests.use_cases.identity.conftest import ASHA, IdentityHouse

BINOD = replace(ASHA, email="binod@example.in", display_name="Binod")


async def devices(house: IdentityHouse, count: int = 3) -> list[tuple[str, Principal]]:
    """So many devices of Asha: the access token of each and for whom its calls are made."""
    tokens = [(await house.sign_up.execute(ASHA)).tokens.access_token.text]
    for _ in range(count - 1):
        logged_in = await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
        tokens.append(logged_in.tokens.access_token.text)
    return [(token, await house.authenticate.execute(AuthenticateCommand(token))) for token in tokens]


async def let_in(house: IdentityHouse, among: list[tuple[str, Principal]]) -> list[bool]:
    found = []
    for token, _ in among:
        try:
            await house.authenticate.execute(AuthenticateCommand(token))
        except UnauthenticatedError:
            found.append(False)
        else:
            found.append(True)
    return found


async def test_a_user_sees_the_own_sessions_and_no_others(house: IdentityHouse) -> None:
    mine = await devices(house)
    await house.sign_up.execute(BINOD)
    page = await house.list_sessions.execute(ListSessionsCommand(mine[0][1].user_id, PageRequest()))
    assert [session.id for session in page.items] == [principal.session_id for _, principal in reversed(mine)]


async def test_one_session_is_ended_from_another(house: IdentityHouse) -> None:
    mine = await devices(house)
    await house.end_session.execute(EndSessionCommand(mine[0][1].user_id, mine[1][1].session_id))
    assert await let_in(house, mine) == [True, False, True]
    await house.end_session.execute(EndSessionCommand(mine[0][1].user_id, mine[1][1].session_id))
    page = await house.list_sessions.execute(ListSessionsCommand(mine[0][1].user_id, PageRequest()))
    assert mine[1][1].session_id not in [session.id for session in page.items]


async def test_anothers_session_and_none_are_the_same_to_whoever_would_end_them(house: IdentityHouse) -> None:
    mine = await devices(house, 1)
    binod = (await house.sign_up.execute(BINOD)).user
    told = []
    for session_id in (mine[0][1].session_id, SessionId(UUID(int=999))):
        with pytest.raises(NotFoundError) as refusal:
            await house.end_session.execute(EndSessionCommand(binod.id, session_id))
        told.append((refusal.value.reason, refusal.value.message, refusal.value.metadata))
    assert told[0] == told[1]
    assert await let_in(house, mine) == [True]


@pytest.mark.parametrize(("keep_current", "after"), [(False, [False] * 3), (True, [True, False, False])])
async def test_logging_out_everywhere_ends_all_or_all_others(
    house: IdentityHouse, keep_current: bool, after: list[bool]
) -> None:
    mine = await devices(house)
    binod = (await house.sign_up.execute(BINOD)).tokens.access_token.text
    await house.log_out_everywhere.execute(LogOutEverywhereCommand(mine[0][1], keep_current))
    assert await let_in(house, mine) == after
    await house.authenticate.execute(AuthenticateCommand(binod))


async def test_a_second_log_out_everywhere_tells_what_an_interrupted_first_left_untold(house: IdentityHouse) -> None:
    mine = await devices(house)
    async with house.unit_of_work() as uow:
        await uow.sessions.end_all(mine[0][1].user_id, house.clock.now(), mine[0][1].session_id)
        await uow.commit()
    # The first caller was gone before it could tell.
    assert await let_in(house, mine) == [True, True, True]
    house.clock.advance(REVOCATION_MEMORY / 2)
    await house.log_out_everywhere.execute(LogOutEverywhereCommand(mine[0][1], keep_current=True))
    assert house.revoked_tokens.entries == {principal.session_id for _, principal in mine[1:]}


async def test_sessions_end_with_the_change_that_wants_it_and_not_without(house: IdentityHouse) -> None:
    """A stand-in for every change of a password, role or status: what they all do with this port."""
    mine = await devices(house)
    user_id, here = mine[0][1].user_id, mine[0][1].session_id

    async def change(*, commits: bool) -> None:
        async with house.unit_of_work() as uow:
            user = await uow.users.lock(user_id)
            assert user is not None
            user.keep_hash("1:another", house.clock.now())
            await uow.users.save(user)
            ended = await uow.sessions.end_all(user_id, house.clock.now(), except_session=here)
            if not commits:
                return
            await uow.commit()
        await house.revoked_tokens.revoke(ended)

    await change(commits=False)
    assert await let_in(house, mine) == [True, True, True]
    await change(commits=True)
    assert await let_in(house, mine) == [True, False, False]
    assert house.tables.users[user_id].password_hash == "1:another"
