"""The inventory's port called directly, by callers who know nothing of checkouts."""

import random
from functools import partial

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.inventory.stock import HoldLine, Shortage
from kapda.domain.shared.ids import HoldId, VariantId
from tests.shop.gate import at_once
from tests.shop.raw_holds import no_raw_holds  # noqa: F401  (a fixture)
from tests.shop.shop import Shop, new_request


async def test_f4_raw_holds_in_parallel_never_oversubscribe_and_the_counter_is_the_sum_of_its_rows(shop: Shop) -> None:
    ten = await shop.variant(pieces=10)

    async def hold(quantity: int) -> tuple[Shortage, ...]:
        uow: PostgresUnitOfWork = shop.door().stock_unit_of_work()
        async with uow:
            shortages = await uow.stock.hold(
                HoldId(new_request()), [HoldLine(ten, quantity)], shop.container.clock().now()
            )
            await uow.commit()
        return shortages

    outcomes = await at_once([partial(hold, 3) for _ in range(20)])

    assert [len(shortages) for shortages in outcomes.answers].count(0) == 3
    (rows,) = await shop.sql("SELECT sum(quantity) AS n FROM stock_holds WHERE variant_id = :id", id=ten)
    assert await shop.level(ten) == (10, rows["n"]) == (10, 9)


async def test_f4_a_hold_with_two_lines_of_one_variant_changes_nothing(shop: Shop) -> None:
    one = await shop.variant(pieces=1)
    uow: PostgresUnitOfWork = shop.door().stock_unit_of_work()
    try:
        async with uow:
            shortages = await uow.stock.hold(
                HoldId(new_request()), [HoldLine(one, 1), HoldLine(one, 1)], shop.container.clock().now()
            )
            if not shortages:
                await uow.commit()
    except Exception:  # noqa: BLE001, S110  (the port promises nothing for it but that nothing happens)
        pass
    assert await shop.level(one) == (1, 0)


async def _hold_in(shop: Shop, variants: list[VariantId], *, sells: bool) -> None:
    hold_id, now = HoldId(new_request()), shop.container.clock().now()
    uow: PostgresUnitOfWork = shop.door().stock_unit_of_work()
    async with uow:
        assert await uow.stock.hold(hold_id, [HoldLine(variant, 1) for variant in variants], now) == ()
        await uow.commit()
    uow = shop.door().stock_unit_of_work()
    async with uow:
        ended = await (uow.stock.sell if sells else uow.stock.release)(hold_id, now, "race")
        await uow.commit()
    assert ended == len(variants)


async def test_f9_holds_sales_and_releases_in_opposite_orders_never_deadlock(shop: Shop) -> None:
    variants = await shop.variants(6, pieces=1_000)
    dice = random.Random(9)  # noqa: S311  (a shuffle, no secret)
    calls = [
        partial(_hold_in, shop, dice.sample(variants, k=dice.randint(2, 6)), sells=turn % 2 == 0) for turn in range(100)
    ]

    outcomes = await at_once(calls)

    assert not outcomes.refusals
