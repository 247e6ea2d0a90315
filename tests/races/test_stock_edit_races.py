"""Counts, deliveries and low-stock events, while others take the same pieces."""

import random
from functools import partial

from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.stock import HoldLine
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStockCommand
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThresholdCommand
from kapda.domain.inventory.use_cases.set_stock import SetStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import HoldId, VariantId
from tests.shop.gate import at_once
from tests.shop.raw_holds import no_raw_holds, release  # noqa: F401  (a fixture)
from tests.shop.shop import Shop, new_request


async def _hold(shop: Shop, hold_id: HoldId, variants: list[VariantId]) -> None:
    async with shop.door().stock_unit_of_work() as uow:
        lines = [HoldLine(variant, 1) for variant in variants]
        assert await uow.stock.hold(hold_id, lines, shop.container.clock().now()) == ()
        await uow.commit()


async def _hold_and_release(shop: Shop, variants: list[VariantId]) -> None:
    hold_id = HoldId(new_request())
    await _hold(shop, hold_id, variants)
    assert await release(shop, hold_id) == len(variants)


async def _set(shop: Shop, command: SetStockCommand) -> None:
    await shop.door().set_stock().execute(command)


async def _try_to_hold(shop: Shop, variant: VariantId) -> None:
    async with shop.door().stock_unit_of_work() as uow:
        await uow.stock.hold(HoldId(new_request()), [HoldLine(variant, 1)], shop.container.clock().now())
        await uow.commit()


async def test_of_many_counts_against_one_etag_one_wins(shop: Shop) -> None:
    kurta, admin = await shop.variant(pieces=10), await shop.admin()
    commands = [SetStockCommand(admin, new_request(), kurta, on_hand, "v1", "counted") for on_hand in range(20, 40)]

    outcomes = await at_once([partial(shop.door().set_stock().execute, command) for command in commands])

    (winner,) = outcomes.answers
    assert outcomes.reasons == {Reason.ETAG_MISMATCH: 19}
    assert await shop.level(kurta) == (winner.value.on_hand, 0)
    assert await shop.count("stock_movements WHERE variant_id = :id AND kind = 'adjust'", id=kurta) == 1


async def test_a_count_and_a_hold_never_leave_less_than_is_held(shop: Shop) -> None:
    for _ in range(10):
        kurta, admin = await shop.variant(pieces=1), await shop.admin()
        count = SetStockCommand(admin, new_request(), kurta, 0, "v1", "moth")

        outcomes = await at_once([partial(_set, shop, count), partial(_try_to_hold, shop, kurta)])

        assert set(outcomes.reasons) <= {Reason.ETAG_MISMATCH}
        assert await shop.level(kurta) in {(0, 0), (1, 1)}


async def test_deliveries_and_holds_of_the_same_variants_in_any_order_never_deadlock(shop: Shop) -> None:
    variants, admin = await shop.variants(8, pieces=1_000), await shop.admin()
    dice = random.Random(4)  # noqa: S311  (a shuffle, no secret)

    async def deliver(lines: list[DeliveryLine]) -> None:
        command = BatchReceiveStockCommand(admin, new_request(), tuple(lines), "delivery")
        await shop.door().batch_receive_stock().execute(command)

    deliveries = [
        partial(deliver, [DeliveryLine(1, variant_id=variant) for variant in dice.sample(variants, k=8)])
        for _ in range(40)
    ]
    holds = [partial(_hold_and_release, shop, dice.sample(variants, k=dice.randint(2, 8))) for _ in range(60)]
    calls = [*deliveries, *holds]
    dice.shuffle(calls)

    outcomes = await at_once(calls)

    assert not outcomes.refusals
    assert [await shop.level(variant) for variant in variants] == [(1_040, 0)] * 8


async def test_holds_that_make_many_variants_low_in_any_order_never_deadlock_and_tell_in_sequence(shop: Shop) -> None:
    variants, admin = await shop.variants(5, pieces=1_000), await shop.admin()
    for variant in variants:
        # Nearly every hold goes below the threshold, and nearly every release rises above it again.
        command = SetLowStockThresholdCommand(admin, new_request(), variant, 999)
        await shop.container.set_low_stock_threshold().execute(command)
    dice = random.Random(7)  # noqa: S311  (a shuffle, no secret)
    calls = [partial(_hold_and_release, shop, dice.sample(variants, k=dice.randint(2, 5))) for _ in range(100)]

    outcomes = await at_once(calls)

    assert not outcomes.refusals
    for variant in variants:
        (told,) = await shop.sql(
            """SELECT count(*) AS events, max(sequence) AS last, count(DISTINCT payload ->> 'available') AS levels
               FROM outbox_events WHERE aggregate_id = :id""",
            id=variant,
        )
        assert told["events"] == told["last"] >= 1
        assert told["levels"] == 1, "only the hold that crosses tells"


async def test_of_all_who_take_the_last_pieces_only_the_one_that_makes_them_low_tells(shop: Shop) -> None:
    kurta = await shop.variant(pieces=20)

    outcomes = await at_once([partial(_hold, shop, HoldId(new_request()), [kurta]) for _ in range(20)])

    assert len(outcomes.answers) == 20
    rows = await shop.sql("SELECT type, payload FROM outbox_events WHERE aggregate_id = :id", id=kurta)
    assert [(row["type"], row["payload"]["available"], row["payload"]["held"]) for row in rows] == [
        ("stock.low", 5, 15)
    ]


async def test_one_delivery_reported_by_many_at_once_arrives_once(shop: Shop) -> None:
    variants, admin = await shop.variants(3), await shop.admin()
    lines = tuple(DeliveryLine(5, variant_id=variant) for variant in variants)
    command = BatchReceiveStockCommand(admin, new_request(), lines, "delivery")

    outcomes = await at_once([partial(shop.door().batch_receive_stock().execute, command) for _ in range(10)])

    assert [answer.replayed for answer in outcomes.answers].count(False) == 1
    assert len({answer.value for answer in outcomes.answers}) == 1
    assert [await shop.level(variant) for variant in variants] == [(15, 0)] * 3
