"""The promises hold at every instant, not only when everybody has gone home."""

import asyncio
from functools import partial

from kapda.domain.ops.promises import Verdict
from tests.shop.buyer import Buyer, deliver, new_buyers, settle
from tests.shop.gate import at_once, persist
from tests.shop.shop import Shop


async def test_whoever_looks_while_a_crowd_buys_finds_every_promise_kept(shop: Shop) -> None:
    variants = await shop.variants(3, pieces=100, rupees=700)
    buyers = await new_buyers(shop, 20)
    done = asyncio.Event()

    async def purchase(number: int, buyer: Buyer) -> None:
        await persist(partial(buyer.checks_out_one, variants[number % 3]))
        await persist(partial(buyer.add, variants[(number + 1) % 3]))
        checkout = await persist(buyer.check_out)
        triple = await buyer.pay(checkout, outcome="authorize_only" if number % 2 else "success")
        doors = (
            partial(buyer.place, checkout, triple),
            partial(deliver, shop, triple),
            partial(settle, shop, checkout.id),
        )
        await asyncio.gather(*(persist(door) for door in doors))

    async def look() -> int:
        """How many full looks were taken before the crowd had gone."""
        looks = 0
        while not done.is_set():
            report = await shop.door().check_promises().execute()
            broken = [result for result in report.results if result.verdict is Verdict.BROKEN]
            assert not broken, broken
            looks += 1
        return looks

    looking = asyncio.create_task(look())
    outcomes = await at_once([partial(purchase, number, buyer) for number, buyer in enumerate(buyers)])
    done.set()

    assert not outcomes.refusals
    assert await looking >= 3
