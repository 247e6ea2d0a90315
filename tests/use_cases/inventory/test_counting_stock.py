"""Shelves are counted against the counters that were seen, once a request."""

from dataclasses import replace

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.stock import MovementKind
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThreshold, SetLowStockThresholdCommand
from kapda.domain.inventory.use_cases.set_stock import SetStock, SetStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop


@pytest.fixture
def set_stock(shop: Shop) -> SetStock:
    return SetStock(shop.database.unit_of_work, shop.clock)


@pytest.fixture
def set_threshold(shop: Shop) -> SetLowStockThreshold:
    return SetLowStockThreshold(shop.database.unit_of_work, shop.clock)


@pytest.fixture
def kurta(shop: Shop) -> VariantId:
    return shop.stock_variant(pieces=10)


def count(shop: Shop, who: Principal, variant: VariantId, on_hand: int, etag: str = "v1") -> SetStockCommand:
    return SetStockCommand(who, shop.new_request(), variant, on_hand, etag, "counted")


@pytest.mark.parametrize("on_hand", [0, 7, 12])
async def test_the_shelf_is_what_was_counted_with_a_movement_of_the_difference(
    shop: Shop, set_stock: SetStock, designer: Principal, kurta: VariantId, on_hand: int
) -> None:
    command = count(shop, designer, kurta, on_hand)
    answer = await set_stock.execute(command)
    assert (answer.value.on_hand, answer.value.version) == (on_hand, 2)
    movement = shop.tables.movements[-1]
    assert (movement.kind, movement.on_hand_delta, movement.reason) == (MovementKind.ADJUST, on_hand - 10, "counted")
    assert await set_stock.execute(command) == replace(answer, replayed=True)


async def test_a_count_that_finds_what_is_known_moves_nothing_and_keeps_the_etag(
    shop: Shop, set_stock: SetStock, admin: Principal, kurta: VariantId
) -> None:
    movements = len(shop.tables.movements)
    answer = await set_stock.execute(count(shop, admin, kurta, 10))
    assert (answer.value.on_hand, answer.value.etag) == (10, "v1")
    assert len(shop.tables.movements) == movements


async def test_a_count_of_counters_that_have_moved_is_refused_with_the_new_etag_even_where_it_is_right(
    shop: Shop, set_stock: SetStock, admin: Principal, kurta: VariantId
) -> None:
    await set_stock.execute(count(shop, admin, kurta, 9))
    for on_hand in (8, 9):
        with refused_with_nothing_committed(shop.database, Reason.ETAG_MISMATCH) as refusal:
            await set_stock.execute(count(shop, admin, kurta, on_hand, etag="v1"))
        assert refusal.error.metadata == {"etag": "v2"}


async def test_a_count_below_what_checkouts_hold_is_refused(
    shop: Shop, set_stock: SetStock, admin: Principal, kurta: VariantId
) -> None:
    await shop.add(kurta, 3)
    await shop.check_out(rupees(4_497))
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK) as refusal:
        await set_stock.execute(count(shop, admin, kurta, 2, etag="v2"))
    assert refusal.error.metadata == {"variant_id": str(kurta), "available": "7", "requested": "8"}
    await set_stock.execute(count(shop, admin, kurta, 3, etag="v2"))
    assert shop.level(kurta) == (3, 3)


async def test_a_sale_since_the_count_began_is_not_undone(
    shop: Shop, set_stock: SetStock, admin: Principal, kurta: VariantId
) -> None:
    await shop.add(kurta, 1)
    checkout = await shop.check_out(rupees(1_499))
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    with refused_with_nothing_committed(shop.database, Reason.ETAG_MISMATCH):
        await set_stock.execute(count(shop, admin, kurta, 10))
    assert shop.level(kurta) == (9, 0)


@pytest.mark.parametrize("etag", ["", "1", "v", "v-1", "v1.0", "v٣", "v" + 30 * "9"])
async def test_what_is_no_etag_is_refused(
    shop: Shop, set_stock: SetStock, admin: Principal, kurta: VariantId, etag: str
) -> None:
    with refused_with_nothing_committed(shop.database, Reason.VALIDATION_FAILED):
        await set_stock.execute(count(shop, admin, kurta, 9, etag))


async def test_a_strangers_count_and_threshold_find_no_variant(
    shop: Shop, set_stock: SetStock, set_threshold: SetLowStockThreshold, stranger: Principal, kurta: VariantId
) -> None:
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await set_stock.execute(count(shop, stranger, kurta, 9))
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await set_threshold.execute(SetLowStockThresholdCommand(stranger, shop.new_request(), kurta, 3))


async def test_a_request_id_is_not_used_for_another_count_or_threshold(
    shop: Shop, set_stock: SetStock, set_threshold: SetLowStockThreshold, admin: Principal, kurta: VariantId
) -> None:
    command = count(shop, admin, kurta, 9)
    await set_stock.execute(command)
    for other in (replace(command, on_hand=8), replace(command, etag="v2"), replace(command, reason="counted again")):
        with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
            await set_stock.execute(other)
    threshold = SetLowStockThresholdCommand(admin, shop.new_request(), kurta, 3)
    await set_threshold.execute(threshold)
    with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
        await set_threshold.execute(replace(threshold, threshold=4))


async def test_a_threshold_is_set_once_a_request_and_the_last_word_stands(
    shop: Shop, set_threshold: SetLowStockThreshold, designer: Principal, kurta: VariantId
) -> None:
    three = SetLowStockThresholdCommand(designer, shop.new_request(), kurta, 3)
    first = await set_threshold.execute(three)
    assert (first.value.low_stock_threshold, first.value.etag) == (3, "v1")
    await set_threshold.execute(SetLowStockThresholdCommand(designer, shop.new_request(), kurta, 4))
    assert await set_threshold.execute(three) == replace(first, replayed=True)
    assert shop.tables.stock[kurta].low_stock_threshold == 4


async def test_a_purchase_that_leaves_few_pieces_tells_once_and_superseding_it_tells_nothing_more(shop: Shop) -> None:
    kurta = shop.stock_variant(pieces=6)
    await shop.add(kurta, 1)
    await shop.check_out(rupees(1_499))
    await shop.add(kurta, 1)
    checkout = await shop.check_out(rupees(2_998))
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    events = [row.event for row in shop.tables.outbox[kurta]]
    assert [(event.type, event.payload["available"]) for event in events] == [("stock.low", 5)]
    assert shop.level(kurta) == (4, 0)
