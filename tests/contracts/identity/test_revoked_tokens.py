"""Revoked tokens as their port promises, in memory and in Valkey."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

import pytest

from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.revoked_tokens import RedisRevokedTokens
from kapda.domain.identity.session_ports import Revocation, RevokedTokens
from kapda.domain.shared.ids import SessionId
from tests.fakes.identity import InMemoryRevokedTokens
from tests.waiting import PATIENCE_SECONDS

ENDED, ENDED_LATER, OPEN = (SessionId(UUID(int=number)) for number in (1, 2, 3))


@pytest.fixture(params=["in_memory", "valkey"])
async def revoked_tokens(request: pytest.FixtureRequest) -> AsyncIterator[RevokedTokens]:
    if request.param == "in_memory":
        yield InMemoryRevokedTokens()
        return
    client = make_client(request.getfixturevalue("redis_url"), timeout=PATIENCE_SECONDS)
    # A long lease: none of these tests is about its end.
    yield RedisRevokedTokens(client, lease=60)
    await client.aclose()


async def rows() -> Collection[SessionId]:
    return [ENDED]


async def test_nothing_is_known_before_the_first_refill(revoked_tokens: RevokedTokens) -> None:
    assert await revoked_tokens.check(OPEN) is Revocation.UNKNOWN


async def test_after_a_refill_the_rows_are_known(revoked_tokens: RevokedTokens) -> None:
    await revoked_tokens.refill(rows)
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def test_a_revocation_is_known_at_once_also_before_a_refill(revoked_tokens: RevokedTokens) -> None:
    await revoked_tokens.revoke([ENDED_LATER])
    assert await revoked_tokens.check(ENDED_LATER) is Revocation.REVOKED
    await revoked_tokens.refill(rows)
    assert await revoked_tokens.check(ENDED_LATER) is Revocation.REVOKED


async def test_a_revocation_during_a_refill_is_not_lost(revoked_tokens: RevokedTokens) -> None:
    async def rows_read_just_before() -> Collection[SessionId]:
        found = await rows()
        await revoked_tokens.revoke([ENDED_LATER])
        return found

    await revoked_tokens.refill(rows_read_just_before)
    assert await revoked_tokens.check(ENDED_LATER) is Revocation.REVOKED
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def test_revoking_twice_is_revoking_once(revoked_tokens: RevokedTokens) -> None:
    await revoked_tokens.revoke([ENDED])
    await revoked_tokens.revoke([ENDED])
    assert await revoked_tokens.check(ENDED) is Revocation.REVOKED


async def test_many_are_revoked_at_once_and_none_is_no_harm(revoked_tokens: RevokedTokens) -> None:
    many = [SessionId(UUID(int=number)) for number in range(100, 2_600)]
    await revoked_tokens.refill(rows)
    await revoked_tokens.revoke(())
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED
    await revoked_tokens.revoke(many)
    for session_id in (many[0], many[999], many[1_000], many[-1]):
        assert await revoked_tokens.check(session_id) is Revocation.REVOKED
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def test_each_of_a_crowd_gets_the_answer_about_its_own_session(revoked_tokens: RevokedTokens) -> None:
    crowd = [SessionId(UUID(int=number)) for number in range(100, 500)]
    await revoked_tokens.refill(rows)
    await revoked_tokens.revoke(crowd[::3])
    answers = await asyncio.gather(*(revoked_tokens.check(session_id) for session_id in crowd))
    assert [number for number, answer in enumerate(answers) if answer is Revocation.REVOKED] == list(range(0, 400, 3))
    assert set(answers) == {Revocation.REVOKED, Revocation.NOT_REVOKED}


async def test_what_is_complete_is_not_read_from_the_rows_again(revoked_tokens: RevokedTokens) -> None:
    async def unwanted() -> Collection[SessionId]:
        raise AssertionError("the rows were read")

    await revoked_tokens.refill(rows)
    await revoked_tokens.refill(unwanted)
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED


async def test_rows_that_cannot_be_read_leave_it_unknown(revoked_tokens: RevokedTokens) -> None:
    async def broken() -> Collection[SessionId]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await revoked_tokens.refill(broken)
    assert await revoked_tokens.check(OPEN) is Revocation.UNKNOWN
    await revoked_tokens.refill(rows)
    assert await revoked_tokens.check(OPEN) is Revocation.NOT_REVOKED
