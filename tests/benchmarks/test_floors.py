"""The floor is written by whoever can buy."""

import asyncpg

from benchmarks.floors import cast
from tests.shop.buyer import new_buyers
from tests.shop.shop import Shop


async def test_whoever_has_a_checkout_under_way_buys_nothing_for_the_floor(shop: Shop) -> None:
    busy, idle, placed = await new_buyers(shop, 3)
    variant = await shop.variant(pieces=2_000)
    await shop.sql("UPDATE users SET email = 'shopper.' || email")
    await busy.checks_out_one(variant)
    await placed.buys(variant)
    url = str(shop.container.settings().database_url.get_secret_value())

    assert (await cast(url)).buyers == 2

    connection = await asyncpg.connect(url)
    try:
        buyers = {row["user_id"] for row in await connection.fetch("SELECT user_id FROM bench.buyers")}
    finally:
        await connection.close()
    assert buyers == {idle.id, placed.id}
