"""A crowd at a pool is served in the order of its arrival."""

import asyncio

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kapda.adapters.postgres.turns import Turns


async def test_who_waits_is_served_before_who_comes_as_a_turn_comes_free() -> None:
    turns, served = Turns(1, patience=5.0), list[str]()

    async def visit(name: str) -> None:
        await turns.take()
        served.append(name)
        await asyncio.sleep(0)
        turns.give_back()

    await turns.take()
    waiting = [asyncio.create_task(visit(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    turns.give_back()
    # It asks before those who wait have even been told.
    await asyncio.gather(visit("newcomer"), *waiting)

    assert served == ["first", "second", "newcomer"]


async def test_patience_ends_and_leaves_the_turns_whole() -> None:
    turns = Turns(1, patience=0.01)
    await turns.take()
    with pytest.raises(PoolTimeoutError):
        await turns.take()
    turns.give_back()
    await turns.take()


async def test_who_is_cancelled_while_waiting_takes_no_turn_away() -> None:
    turns = Turns(1, patience=5.0)
    await turns.take()
    waiting = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    turns.give_back()
    await asyncio.wait_for(turns.take(), 1)
