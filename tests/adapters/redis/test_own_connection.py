"""A connection of one's own: kept from command to command, replaced when it is lost, and never an answer behind."""

import asyncio
import os
import signal

import pytest
from redis import RedisError, ResponseError
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.own_connection import OwnConnection


@pytest.fixture
def own(client: Redis) -> OwnConnection:
    return OwnConnection(client)


async def test_it_is_kept_also_when_the_server_refuses_a_command(own: OwnConnection) -> None:
    before = await own.execute("CLIENT", "ID")
    with pytest.raises(ResponseError):
        await own.execute("NO-SUCH-COMMAND")
    assert await own.execute("CLIENT", "ID") == before


async def test_one_that_the_server_closed_meanwhile_is_replaced_unnoticed(client: Redis, own: OwnConnection) -> None:
    before = await own.execute("CLIENT", "ID")
    await client.client_kill_filter(_id=before)
    assert await own.execute("CLIENT", "ID") != before


async def test_the_answer_to_a_command_that_was_given_up_is_not_the_next_ones(own: OwnConnection) -> None:
    waiting = asyncio.create_task(own.execute("BLPOP", "nothing", "0.1"))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await own.execute("ECHO", "next") == "next"


async def test_a_server_that_hangs_is_an_error_soon_and_its_late_answer_is_nobodys(
    valkey: EmbeddedValkey, own: OwnConnection
) -> None:
    assert valkey.pid is not None
    await own.execute("PING")
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(RedisError):
            await asyncio.wait_for(own.execute("ECHO", "late"), 5)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert await own.execute("ECHO", "next") == "next"


async def test_all_of_them_are_in_the_clients_pool_one_at_a_time(client: Redis, own: OwnConnection) -> None:
    for _ in range(100):
        identity = await own.execute("CLIENT", "ID")
        await client.client_kill_filter(_id=identity)
    assert await client.ping() is True
