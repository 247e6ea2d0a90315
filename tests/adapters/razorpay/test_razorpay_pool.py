"""Threads, waiters and their bound."""

import asyncio
import time

import pytest

from kapda.adapters.razorpay.errors import NoAnswerError
from kapda.adapters.razorpay.pool import CallPool, RazorpayAccess
from kapda.domain.payments.gateway import GatewayNotAskedError, GatewayOrderRequest, GatewayUnknownError
from kapda.domain.shared.money import INR, Money
from tests.adapters.razorpay.conftest import ORDER, Connect, Reply, Server, reply
from tests.waiting import until

ORDER_ID = "order_AAAAAAAAAAAAAA"


async def test_each_thread_has_its_own_client() -> None:
    pool = CallPool(RazorpayAccess(key_id="k", key_secret="s", threads=2))
    clients = await asyncio.gather(*(pool.run(_slow_identity) for _ in range(6)))
    again = await asyncio.gather(*(pool.run(_slow_identity) for _ in range(6)))
    assert len({*clients, *again}) == 2
    await pool.close()


async def test_callers_beyond_the_bound_are_turned_away_at_once(server: Server, connect: Connect) -> None:
    server.script = [Reply([None])]
    gateway = connect(threads=1, waiting=1)
    calls = [asyncio.create_task(gateway.fetch_order(ORDER_ID)) for _ in range(2)]
    await asyncio.sleep(0.05)
    started = time.monotonic()
    with pytest.raises(GatewayUnknownError) as turned_away:
        await gateway.fetch_order(ORDER_ID)
    assert turned_away.value.detail == "not sent: too many calls are waiting"
    assert time.monotonic() - started < 0.1
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ended] == [GatewayUnknownError, GatewayUnknownError]


async def test_a_slot_stays_taken_until_the_thread_ends_though_its_caller_has_gone() -> None:
    pool = CallPool(RazorpayAccess(key_id="k", key_secret="s", threads=1, waiting=0))
    caller = asyncio.create_task(pool.run(lambda _: time.sleep(0.3)))
    await asyncio.sleep(0.05)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert pool.admitted == 1
    with pytest.raises(NoAnswerError, match="too many"):
        await pool.run(_slow_identity)
    await asyncio.sleep(0.4)
    assert pool.admitted == 0
    assert await pool.run(lambda _: 42) == 42
    await pool.close()


async def test_a_call_that_waited_its_time_away_is_never_sent(server: Server, connect: Connect) -> None:
    server.script = [Reply([None])]
    gateway = connect(threads=1, read_timeout=5, total_timeout=0.3)
    first = asyncio.create_task(gateway.fetch_order(ORDER_ID))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(gateway.fetch_order(ORDER_ID))
    await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(second.exception(), GatewayUnknownError)
    assert len(server.requests) == 1


async def test_whom_no_thread_comes_free_for_is_told_so_before_long_and_was_not_sent(
    server: Server, connect: Connect
) -> None:
    server.script = [Reply([None])]
    gateway = connect(threads=1, read_timeout=2, total_timeout=2, patience=0.2)
    first = asyncio.create_task(gateway.fetch_order(ORDER_ID))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    with pytest.raises(GatewayNotAskedError):
        await gateway.fetch_order(ORDER_ID)
    assert time.monotonic() - started < 0.5
    with pytest.raises(GatewayUnknownError) as asked:
        await first
    assert not isinstance(asked.value, GatewayNotAskedError)
    assert len(server.requests) == 1


async def test_who_is_called_off_while_waiting_for_a_thread_is_called_off(server: Server, connect: Connect) -> None:
    server.script = [Reply([None])]
    gateway = connect(threads=1)
    calls = [asyncio.create_task(gateway.fetch_order(ORDER_ID)) for _ in range(2)]
    await asyncio.sleep(0.05)
    calls[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await calls[1]
    await asyncio.gather(calls[0], return_exceptions=True)


async def test_calls_that_open_orders_and_hang_keep_no_other_call_waiting(server: Server, connect: Connect) -> None:
    server.script = [Reply([None])]
    gateway = connect(threads=1, read_timeout=1, total_timeout=1)
    request = GatewayOrderRequest("checkout-1", Money(5000, INR), {}, 12)
    hanging = [asyncio.create_task(gateway.create_order(request)) for _ in range(3)]
    await until(lambda: len(server.requests) == 1)
    server.script = [reply(ORDER)]
    assert await gateway.fetch_order(ORDER_ID) is not None
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_the_pool_serves_again_after_a_hang(server: Server, connect: Connect) -> None:
    server.script = [Reply([None]), reply(ORDER)]
    gateway = connect(threads=1)
    with pytest.raises(GatewayUnknownError):
        await gateway.fetch_order(ORDER_ID)
    found = await gateway.fetch_order(ORDER_ID)
    assert found is not None
    assert found.id == ORDER_ID


async def test_close_waits_for_what_runs_and_drops_what_waits() -> None:
    pool = CallPool(RazorpayAccess(key_id="k", key_secret="s", threads=1))
    running = asyncio.create_task(pool.run(_slow_word))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(pool.run(_slow_identity))
    await asyncio.sleep(0.05)
    await pool.close()
    assert await running == "done"
    with pytest.raises(NoAnswerError, match="closed"):
        await waiting
    with pytest.raises(NoAnswerError, match="closed"):
        await pool.run(_slow_identity)
    assert pool.admitted == 0


@pytest.mark.parametrize("url", ["http://api.razorpay.com", "http://127.0.0.1.example.com:80", "ftp://x", ""])
def test_the_secret_never_leaves_the_machine_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        RazorpayAccess(key_id="k", key_secret="s", base_url=url)


def test_empty_credentials_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        RazorpayAccess(key_id="k", key_secret="")


def _slow_word(client: object) -> str:
    time.sleep(0.2)
    return "done"


def _slow_identity(client: object) -> int:
    time.sleep(0.02)
    return id(client)
