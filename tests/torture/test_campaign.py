"""A crowd buys, cancels and is refunded while everything around it dies, hangs and lies; then the books are read.

The seed throws the dice: who does what, and what befalls the shop. When exactly a process dies inside a call is the
machine's own throw, so a seed that failed may need some more runs to fail again. docs/reliability.md tells more.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.shop.looking_on import looking_on
from tests.shop.wire import Wire, reach
from tests.torture.budget import CAMPAIGN_SECONDS, SEED
from tests.torture.calls import Line
from tests.torture.customers import Admin, Customer
from tests.torture.diary import Diary
from tests.torture.reckoning import comes_to_rest, reckon
from tests.torture.rig import Rig, campaign_stack
from tests.torture.sign_up import Pass, new_customer, the_admin

pytestmark = [pytest.mark.torture, pytest.mark.timeout(CAMPAIGN_SECONDS + 600)]

CUSTOMERS = 16
# A shelf on which some things are always running out.
PIECES = (2, 3, 5, 20, 40, 40, 60, 80, 100, 100)


async def test_f1_f14_f16_f21_f23_f31_a_crowd_loses_nothing_while_everything_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diary = Diary()
    with campaign_stack(tmp_path) as (stack, workers):
        async with reach(stack) as wire, looking_on(stack, wire.gateway) as shop:
            rig = Rig(stack, workers, wire.gateway, random.Random(f"{SEED} strikes"), diary.strikes)  # noqa: S311
            shelf = {await wire.variant(pieces=pieces): pieces for pieces in PIECES}
            await _campaign(wire, rig, await the_admin(wire, shop), tuple(shelf), diary)
            await rig.good_behaviour()
            calm = time.monotonic()
            await comes_to_rest(wire)
            rested = time.monotonic() - calm
            sums = await reckon(shop, diary, shelf)
            with capsys.disabled():
                print(f"\nseed {SEED}, {CAMPAIGN_SECONDS:.0f} s, at rest {rested:.0f} s later")  # noqa: T201
                print(f"{diary.figures()}\nin paise: {sums}")  # noqa: T201


def _enough(diary: Diary) -> bool:
    """A quarter of what a busy machine did in the time (docs/reliability.md)."""
    at_least = max(1, int(CAMPAIGN_SECONDS / 40))
    done = (diary.placed, diary.cancelled, diary.refunded)
    return all(len(told) >= at_least for told in done) and len(diary.placed) >= 3 * at_least


async def _campaign(wire: Wire, rig: Rig, signed_in: Pass, shelf: tuple[str, ...], diary: Diary) -> None:
    stop = asyncio.Event()
    admin = Admin(wire, Line(signed_in, random.Random(f"{SEED} admin"), diary))  # noqa: S311

    async def keep_shopping(number: int) -> None:
        """One customer after the other at this place in the crowd: who starts too much without paying has to leave."""
        turn = 0
        while not stop.is_set():
            dice = random.Random(f"{SEED} customer {number} {turn}")  # noqa: S311
            line = Line(await new_customer(wire), dice, diary)
            await Customer(wire, line, shelf=shelf, admin=admin).visits(stop)
            turn += 1

    async with asyncio.TaskGroup() as crowd:
        for number in range(CUSTOMERS):
            crowd.create_task(keep_shopping(number))
        crowd.create_task(admin.fills(shelf, stop))
        await rig.storm(CAMPAIGN_SECONDS, enough=lambda: _enough(diary))
        stop.set()
