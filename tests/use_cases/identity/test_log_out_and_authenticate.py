from datetime import timedelta

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import ACCESS_TOKEN_LIFE
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.get_me import GetMeCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.user import UserStatus
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from tests.use_cases.identity.conftest import ASHA, IdentityHouse


async def signed_in(house: IdentityHouse) -> tuple[AuthenticateCommand, Principal]:
    command = AuthenticateCommand((await house.sign_up.execute(ASHA)).tokens.access_token.text)
    return command, await house.authenticate.execute(command)


async def refusal(house: IdentityHouse, command: AuthenticateCommand) -> Reason:
    with pytest.raises(UnauthenticatedError) as refused:
        await house.authenticate.execute(command)
    return refused.value.reason


async def test_the_caller_is_told_who_they_are(house: IdentityHouse) -> None:
    _, principal = await signed_in(house)
    user = await house.get_me.execute(GetMeCommand(principal))
    assert user.email.text == ASHA.email


async def test_a_user_who_is_gone_has_no_session(house: IdentityHouse) -> None:
    _, principal = await signed_in(house)
    house.tables.users.clear()
    with pytest.raises(UnauthenticatedError) as refused:
        await house.get_me.execute(GetMeCommand(principal))
    assert refused.value.reason is Reason.SESSION_REVOKED


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
async def test_a_user_who_is_not_active_has_no_session(house: IdentityHouse, status: UserStatus) -> None:
    _, principal = await signed_in(house)
    house.tables.users[principal.user_id].status = status
    with pytest.raises(UnauthenticatedError) as refused:
        await house.get_me.execute(GetMeCommand(principal))
    assert refused.value.reason is Reason.SESSION_REVOKED


async def test_a_token_that_was_never_ours_or_whose_time_is_over_is_refused(house: IdentityHouse) -> None:
    command, _ = await signed_in(house)
    assert await refusal(house, AuthenticateCommand("made up")) is Reason.TOKEN_INVALID
    house.clock.advance(ACCESS_TOKEN_LIFE)
    assert await refusal(house, command) is Reason.TOKEN_EXPIRED


async def test_the_rows_are_not_read_while_the_revoked_tokens_know(house: IdentityHouse) -> None:
    command, _ = await signed_in(house)
    reads = house.reader.reads
    await house.authenticate.execute(command)
    assert house.reader.reads == reads


async def test_a_logged_out_token_is_refused_from_the_next_call_on(house: IdentityHouse) -> None:
    command, principal = await signed_in(house)
    await house.log_out.execute(LogOutCommand(principal))
    assert await refusal(house, command) is Reason.SESSION_REVOKED
    assert house.tables.sessions[principal.session_id].revoked_at == house.clock.now()


async def test_logging_out_leaves_the_other_sessions_alone(house: IdentityHouse) -> None:
    _, principal = await signed_in(house)
    other = await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
    await house.log_out.execute(LogOutCommand(principal))
    still = await house.authenticate.execute(AuthenticateCommand(other.tokens.access_token.text))
    assert still.session_id != principal.session_id


async def test_logging_out_again_keeps_the_first_end(house: IdentityHouse) -> None:
    _, principal = await signed_in(house)
    await house.log_out.execute(LogOutCommand(principal))
    first = house.clock.now()
    house.clock.advance(timedelta(minutes=1))
    await house.log_out.execute(LogOutCommand(principal))
    assert house.tables.sessions[principal.session_id].revoked_at == first


async def test_a_log_out_holds_when_the_revoked_tokens_are_lost(house: IdentityHouse) -> None:
    command, principal = await signed_in(house)
    await house.log_out.execute(LogOutCommand(principal))
    house.revoked_tokens.lose_everything()
    assert await refusal(house, command) is Reason.SESSION_REVOKED


async def test_a_log_out_holds_while_and_after_the_revoked_tokens_cannot_be_reached(house: IdentityHouse) -> None:
    command, principal = await signed_in(house)
    house.revoked_tokens.reachable = False
    await house.log_out.execute(LogOutCommand(principal))
    assert await refusal(house, command) is Reason.SESSION_REVOKED
    house.revoked_tokens.reachable = True
    assert await refusal(house, command) is Reason.SESSION_REVOKED


async def test_a_loss_is_refilled_from_the_rows_by_the_first_to_notice(house: IdentityHouse) -> None:
    gone, principal = await signed_in(house)
    other = await house.log_in.execute(LogInCommand(ASHA.email, ASHA.password))
    still_in = AuthenticateCommand(other.tokens.access_token.text)
    await house.log_out.execute(LogOutCommand(principal))
    house.revoked_tokens.lose_everything()

    await house.authenticate.execute(still_in)
    reads = house.reader.reads
    await house.authenticate.execute(still_in)
    assert await refusal(house, gone) is Reason.SESSION_REVOKED
    assert house.reader.reads == reads


async def test_a_session_whose_row_is_gone_or_over_is_refused_when_the_rows_decide(house: IdentityHouse) -> None:
    command, principal = await signed_in(house)
    house.revoked_tokens.reachable = False
    session = house.tables.sessions[principal.session_id]
    session.expires_at = house.clock.now()
    assert await refusal(house, command) is Reason.SESSION_REVOKED
    house.tables.sessions.clear()
    assert await refusal(house, command) is Reason.SESSION_REVOKED
