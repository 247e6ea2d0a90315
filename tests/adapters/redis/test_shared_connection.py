"""A connection that many share: kept from command to command, replaced when it is lost, and never an answer for another."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from redis import ConnectionError as LostError
from redis import RedisError, ResponseError
from redis import TimeoutError as NoAnswerError
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.shared_connection import SharedConnection


@pytest.fixture
def shared(client: Redis) -> SharedConnection:
    return SharedConnection(client)


async def test_it_is_kept_also_when_the_server_refuses_a_command(shared: SharedConnection) -> None:
    before = await shared.execute("CLIENT", "ID")
    with pytest.raises(ResponseError):
        await shared.execute("NO-SUCH-COMMAND")
    assert await shared.execute("CLIENT", "ID") == before


async def test_commands_at_once_share_it_and_each_has_its_own_answer(client: Redis, shared: SharedConnection) -> None:
    echoes = [shared.execute("ECHO", str(number)) for number in range(500)]
    refused = [shared.execute("NO-SUCH-COMMAND") for _ in range(20)]
    answers = await asyncio.gather(*echoes, *refused, return_exceptions=True)
    assert answers[:500] == [str(number) for number in range(500)]
    assert all(isinstance(answer, ResponseError) for answer in answers[500:])
    assert len(await client.client_list()) == 2


async def test_an_answer_that_comes_in_parts_is_one(shared: SharedConnection) -> None:
    long = "क" * 1_000_000
    echo, after = await asyncio.gather(shared.execute("ECHO", long), shared.execute("ECHO", "next"))
    assert echo == long
    assert after == "next"


async def test_a_script_that_the_server_does_not_know_is_sent_whole(client: Redis, shared: SharedConnection) -> None:
    script = client.register_script("return {KEYS[1], ARGV[1]}")
    assert await shared.run(script, "1", "key", "first") == ["key", "first"]
    await client.script_flush()
    assert await shared.run(script, "1", "key", "again") == ["key", "again"]


async def test_one_that_the_server_closed_meanwhile_is_replaced_unnoticed(
    client: Redis, shared: SharedConnection
) -> None:
    before = await shared.execute("CLIENT", "ID")
    await client.client_kill_filter(_id=before)
    assert await shared.execute("CLIENT", "ID") != before


async def test_one_that_is_lost_with_commands_under_way_is_replaced_once_for_all_of_them(
    valkey: EmbeddedValkey, client: Redis, shared: SharedConnection
) -> None:
    await shared.execute("PING")
    await client.client_pause(100)
    waiting = [asyncio.create_task(shared.execute("CLIENT", "ID")) for _ in range(20)]
    await asyncio.sleep(0.05)
    valkey.kill()
    valkey.start()
    assert len(set(await asyncio.gather(*waiting))) == 1


async def test_the_answer_to_a_command_that_was_given_up_is_not_the_next_ones(
    client: Redis, shared: SharedConnection
) -> None:
    await shared.execute("PING")
    await client.client_pause(50)
    given_up = asyncio.create_task(shared.execute("ECHO", "given up"))
    await asyncio.sleep(0.01)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert await shared.execute("ECHO", "next") == "next"


async def test_a_server_that_hangs_is_an_error_soon_for_all_and_its_late_answer_is_nobodys(
    valkey: EmbeddedValkey, shared: SharedConnection
) -> None:
    assert valkey.pid is not None
    await shared.execute("PING")
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        late = [shared.execute("ECHO", "late") for _ in range(3)]
        answers = await asyncio.wait_for(asyncio.gather(*late, return_exceptions=True), 5)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    assert [type(answer) for answer in answers] == [NoAnswerError] * 3
    assert await shared.execute("ECHO", "next") == "next"


async def test_whoever_comes_later_has_as_long_as_whoever_came_before(client: Redis, shared: SharedConnection) -> None:
    # Twice 150 ms are longer than the client's limit of 200, and nobody waits for both.
    for _ in range(2):
        await client.client_pause(150)
        assert await shared.execute("ECHO", "in time") == "in time"


async def test_a_crowd_that_finds_no_server_is_told_so_together(
    valkey: EmbeddedValkey, shared: SharedConnection
) -> None:
    valkey.stop()
    crowd = [shared.execute("PING") for _ in range(100)]
    answers = await asyncio.wait_for(asyncio.gather(*crowd, return_exceptions=True), 5)
    assert {type(answer) for answer in answers} == {LostError}
    valkey.start()
    assert await shared.execute("PING") == "PONG"


async def test_whoever_goes_while_it_is_being_made_takes_it_from_nobody_else(shared: SharedConnection) -> None:
    gone, stays = (asyncio.create_task(shared.execute("ECHO", text)) for text in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == "stays"


async def test_those_that_were_replaced_are_back_in_the_clients_pool(client: Redis, shared: SharedConnection) -> None:
    for _ in range(100):
        identity = await shared.execute("CLIENT", "ID")
        await client.client_kill_filter(_id=identity)
    assert await client.ping() is True


async def test_whoever_has_one_from_the_pool_after_it_has_the_clients_limit_of_time_again(
    valkey: EmbeddedValkey, client: Redis, shared: SharedConnection
) -> None:
    identity = await shared.execute("CLIENT", "ID")
    await client.client_kill_filter(_id=identity)
    await shared.execute("PING")
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(NoAnswerError):
            await asyncio.wait_for(client.ping(), 5)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


async def test_it_goes_with_the_client(valkey: EmbeddedValkey, client: Redis) -> None:
    watched = make_client(valkey.url())
    await SharedConnection(watched).execute("PING")
    before = len(await client.client_list())
    await asyncio.wait_for(watched.aclose(), 5)
    assert len(await client.client_list()) == before - 1


@pytest.fixture
async def babbler() -> AsyncIterator[str]:
    """The address of a server that says more than it was asked for."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(10_000):
            writer.write(b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0?protocol=2"


async def test_a_server_that_answers_what_nobody_asked_is_left(babbler: str) -> None:
    client = make_client(babbler)
    shared = SharedConnection(client)
    for _ in range(3):
        try:
            await shared.execute("PING")
        except RedisError:
            break
    assert shared._wire is None or not shared._wire.is_open
    await client.aclose()
