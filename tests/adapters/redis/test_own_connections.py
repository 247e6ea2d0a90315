"""Connections of one's own: kept from command to command, replaced when they are lost, and never an answer behind."""

import asyncio
import os
import signal

import pytest
from redis import ResponseError
from redis import TimeoutError as NoAnswerError
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.own_connections import OwnConnections


@pytest.fixture
def own(client: Redis) -> OwnConnections:
    return OwnConnections(client)


async def test_it_is_kept_also_when_the_server_refuses_a_command(own: OwnConnections) -> None:
    before = await own.execute("CLIENT", "ID")
    with pytest.raises(ResponseError):
        await own.execute("NO-SUCH-COMMAND")
    assert await own.execute("CLIENT", "ID") == before


async def test_one_that_the_server_closed_meanwhile_is_replaced_unnoticed(client: Redis, own: OwnConnections) -> None:
    before = await own.execute("CLIENT", "ID")
    await client.client_kill_filter(_id=before)
    assert await own.execute("CLIENT", "ID") != before


async def test_the_answer_to_a_command_that_was_given_up_is_not_the_next_ones(own: OwnConnections) -> None:
    waiting = asyncio.create_task(own.execute("BLPOP", "nothing", "0.1"))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await own.execute("ECHO", "next") == "next"


async def test_a_server_that_hangs_is_an_error_soon_and_its_late_answer_is_nobodys(
    valkey: EmbeddedValkey, own: OwnConnections
) -> None:
    assert valkey.pid is not None
    await own.execute("PING")
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(own.execute("ECHO", "late"), 5)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert await own.execute("ECHO", "next") == "next"


async def test_all_of_them_are_in_the_clients_pool_one_at_a_time(client: Redis, own: OwnConnections) -> None:
    for _ in range(100):
        identity = await own.execute("CLIENT", "ID")
        await client.client_kill_filter(_id=identity)
    assert await client.ping() is True


async def test_commands_at_once_have_connections_of_their_own_and_two_of_them_are_kept(
    client: Redis, own: OwnConnections
) -> None:
    waiting = [asyncio.create_task(own.execute("BLPOP", f"list {number}", "1")) for number in range(5)]
    await asyncio.sleep(0.05)
    for number in reversed(range(5)):
        await client.rpush(f"list {number}", number)
    assert await asyncio.gather(*waiting) == [[f"list {number}", str(number)] for number in range(5)]
    kept = {await own.execute("CLIENT", "ID") for _ in range(10)}
    assert len(kept) <= 2
    assert len(client.connection_pool._in_use_connections) == 2


async def test_when_one_is_lost_the_others_are_given_up_with_it(client: Redis, own: OwnConnections) -> None:
    both = await asyncio.gather(own.execute("CLIENT", "ID"), own.execute("CLIENT", "ID"))
    for identity in both:
        await client.client_kill_filter(_id=identity)
    assert await own.execute("CLIENT", "ID") not in both
    assert await own.execute("ECHO", "next") == "next"


async def test_whoever_has_one_from_the_pool_after_it_has_the_clients_limit_of_time_again(
    valkey: EmbeddedValkey, client: Redis
) -> None:
    own = OwnConnections(client, kept=0)
    await own.execute("PING")
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(client.ping(), 5)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
