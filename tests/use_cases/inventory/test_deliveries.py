"""Deliveries of many variants: all or nothing, once a request, every wrong line named."""

from dataclasses import replace
from uuid import UUID

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStock, BatchReceiveStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.shop import Shop

NOBODY = VariantId(UUID(int=9))


@pytest.fixture
def receive(shop: Shop) -> BatchReceiveStock:
    return BatchReceiveStock(shop.database.unit_of_work, shop.clock)


def delivery(shop: Shop, who: Principal, *lines: DeliveryLine) -> BatchReceiveStockCommand:
    return BatchReceiveStockCommand(who, shop.new_request(), lines, "delivery note 17")


async def test_every_line_arrives_once_a_request(shop: Shop, receive: BatchReceiveStock, designer: Principal) -> None:
    kurta, saree = shop.stock_variant(pieces=1), shop.stock_variant(pieces=2)
    command = delivery(shop, designer, DeliveryLine(5, sku="RNG-KURTA-002"), DeliveryLine(7, variant_id=kurta))
    answer = await receive.execute(command)
    assert [(level.variant_id, level.on_hand) for level in answer.value.levels] == [(saree, 7), (kurta, 8)]
    assert await receive.execute(command) == replace(answer, replayed=True)
    assert (shop.level(kurta), shop.level(saree)) == ((8, 0), (7, 0))
    assert {movement.reason for movement in shop.tables.movements[-2:]} == {"delivery note 17"}


async def test_all_that_is_wrong_is_said_at_once(shop: Shop, receive: BatchReceiveStock, admin: Principal) -> None:
    kurta = shop.stock_variant()
    command = delivery(
        shop,
        admin,
        DeliveryLine(1, variant_id=kurta),
        DeliveryLine(1, sku="no such thing"),
        DeliveryLine(1, sku="RNG-KURTA-001"),
        DeliveryLine(1, variant_id=NOBODY),
    )
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND) as refusal:
        await receive.execute(command)
    assert [(broken.field, broken.description) for broken in refusal.error.violations] == [
        ("lines[1].sku", "no such variant"),
        ("lines[2].sku", "the same variant as lines[0]"),
        ("lines[3].variant_id", "no such variant"),
    ]
    assert refusal.error.metadata == {"refused_lines": "3", "sku": "no such thing"}


async def test_lines_that_only_repeat_each_other_are_a_fault_of_the_request(
    shop: Shop, receive: BatchReceiveStock, admin: Principal
) -> None:
    kurta = shop.stock_variant()
    line = DeliveryLine(1, variant_id=kurta)
    with refused_with_nothing_committed(shop.database, Reason.VALIDATION_FAILED) as refusal:
        await receive.execute(delivery(shop, admin, line, line, line))
    assert [broken.description for broken in refusal.error.violations] == 2 * ["the same variant as lines[0]"]


async def test_another_houses_variant_is_as_unknown_as_one_that_is_not_there(
    shop: Shop, receive: BatchReceiveStock, stranger: Principal
) -> None:
    kurta = shop.stock_variant()
    lines = DeliveryLine(1, variant_id=kurta), DeliveryLine(1, variant_id=NOBODY)
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND) as refusal:
        await receive.execute(delivery(shop, stranger, *lines))
    assert {broken.description for broken in refusal.error.violations} == {"no such variant"}
    assert refusal.error.metadata["variant_id"] == str(kurta)


async def test_a_refused_delivery_is_judged_anew_and_a_request_id_is_not_used_for_another_one(
    shop: Shop, receive: BatchReceiveStock, admin: Principal
) -> None:
    command = delivery(shop, admin, DeliveryLine(1, sku="RNG-KURTA-001"))
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await receive.execute(command)
    shop.stock_variant()
    assert not (await receive.execute(command)).replayed
    for other in (replace(command, lines=(DeliveryLine(2, sku="RNG-KURTA-001"),)), replace(command, reason="18")):
        with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
            await receive.execute(other)
