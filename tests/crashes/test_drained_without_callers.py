"""F55: callers have gone, their calls are at work, and the server is told to go: it ends soon, and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import grpc
import pytest

from tests.shop.buyer import Buyer, new_buyers
from tests.shop.served import ADD_ITEM, MONEY_CALLS, MoneyCall, Ready, server
from tests.shop.shop import Shop
from tests.waiting import until

# What the drain may take when all that it waits for ends soon: no limit of time of its own plays a part.
SOON_SECONDS = 10.0
CALLERS = 4
CASES = {"AddItem": ADD_ITEM, **MONEY_CALLS}


@dataclass
class Begun:
    """A customer, and the one call that is sent about what is theirs."""

    buyer: Buyer
    call: Ready


@asynccontextmanager
async def _held_up(
    shop: Shop, case: MoneyCall, begun: Sequence[Begun], channel: grpc.aio.Channel
) -> AsyncIterator[None]:
    """All calls are at work, each waiting for a row; then their callers go. Inside the block the rows are locked."""
    url = shop.container.settings().database_url.get_secret_value()
    locker = await asyncpg.connect(url)
    try:
        async with locker.transaction():
            ids = [one.buyer.id for one in begun]
            await locker.execute(case.locks, ids)
            calls = [one.call(channel) for one in begun]
            waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

            async def all_wait() -> bool:
                return await shop.count(waiting) == len(begun)

            await until(all_wait, within=20.0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            yield
    finally:
        await locker.close()


async def _prepared(shop: Shop, method: str) -> list[Begun]:
    variant = await shop.variant(pieces=50)
    return [Begun(buyer, await CASES[method].ready(shop, buyer, variant)) for buyer in await new_buyers(shop, CALLERS)]


async def _effects(shop: Shop, method: str, begun: Sequence[Begun]) -> int:
    return await shop.count(CASES[method].effects, ids=[one.buyer.id for one in begun])


async def _again(shop: Shop, begun: Sequence[Begun]) -> None:
    """The callers come back, at the next server, with the same bytes."""
    await shop.sql("UPDATE checkouts SET gateway_lease_until = NULL WHERE state = 'opening'")
    async with server(shop) as (channel, drain):
        await asyncio.gather(*(one.call(channel) for one in begun))
        await drain()


@pytest.mark.parametrize("method", CASES)
async def test_f55_what_was_begun_for_callers_who_have_gone_is_finished_or_undone_by_a_drain_that_ends(
    shop: Shop, method: str
) -> None:
    begun = await _prepared(shop, method)
    async with server(shop) as (channel, drain):
        async with _held_up(shop, CASES[method], begun, channel):
            draining = asyncio.create_task(drain())
            # The drain has begun by the next turns of the loop; what it waits for is still locked.
            await asyncio.sleep(0.05)
        async with asyncio.timeout(SOON_SECONDS):
            await draining

    # Money phases go on without their callers. What moves no money is undone with its caller, as a whole.
    assert await _effects(shop, method, begun) == (0 if method == "AddItem" else CALLERS)
    assert await shop.count("pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
    await _again(shop, begun)
    assert await _effects(shop, method, begun) == CALLERS


@pytest.mark.parametrize("method", CASES)
async def test_f55_locks_that_nobody_gives_back_keep_no_drain_open(shop: Shop, method: str) -> None:
    """Every wait has its own end; that of a lock is four seconds."""
    begun = await _prepared(shop, method)
    async with (
        server(shop) as (channel, drain),
        _held_up(shop, CASES[method], begun, channel),
        asyncio.timeout(SOON_SECONDS),
    ):
        await drain()

    await _again(shop, begun)
    assert await _effects(shop, method, begun) == CALLERS
