"""Goods arrive and shelves are counted, once a request, and only in one's own house."""

from dataclasses import replace

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.stock import MovementKind
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStock, AdjustStockCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStock, ReceiveStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop


@pytest.fixture
def receive(shop: Shop) -> ReceiveStock:
    return ReceiveStock(shop.database.unit_of_work, shop.clock)


@pytest.fixture
def adjust(shop: Shop) -> AdjustStock:
    return AdjustStock(shop.database.unit_of_work, shop.clock)


@pytest.fixture
def kurta(shop: Shop) -> VariantId:
    return shop.stock_variant(pieces=10)


def delivery(shop: Shop, who: Principal, variant: VariantId, quantity: int = 5) -> ReceiveStockCommand:
    return ReceiveStockCommand(who, shop.new_request(), variant, quantity, "delivery note 17")


def correction(
    shop: Shop, who: Principal, variant: VariantId, delta: int, etag: str | None = None
) -> AdjustStockCommand:
    return AdjustStockCommand(who, shop.new_request(), variant, delta, "counted", etag)


async def test_received_pieces_stand_on_the_shelf_with_a_movement(
    shop: Shop, receive: ReceiveStock, designer: Principal, kurta: VariantId
) -> None:
    answer = await receive.execute(delivery(shop, designer, kurta))
    assert (answer.value.on_hand, answer.value.held, answer.value.version, answer.replayed) == (15, 0, 2, False)
    assert shop.level(kurta) == (15, 0)
    movement = shop.tables.movements[-1]
    assert (movement.kind, movement.on_hand_delta, movement.held_delta) == (MovementKind.RECEIVE, 5, 0)
    assert (movement.reason, movement.actor) == ("delivery note 17", str(designer.user_id))


async def test_a_delivery_reported_twice_arrives_once(
    shop: Shop, receive: ReceiveStock, admin: Principal, kurta: VariantId
) -> None:
    command = delivery(shop, admin, kurta)
    first = await receive.execute(command)
    await receive.execute(delivery(shop, admin, kurta))
    again = await receive.execute(command)
    assert (again.value, again.replayed) == (first.value, True)
    assert shop.level(kurta) == (20, 0)


async def test_a_request_id_is_not_used_for_another_delivery(
    shop: Shop, receive: ReceiveStock, admin: Principal, kurta: VariantId
) -> None:
    command = delivery(shop, admin, kurta)
    await receive.execute(command)
    for other in (replace(command, quantity=6), replace(command, reason="another note")):
        with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
            await receive.execute(other)


async def test_two_people_may_use_the_same_request_id(
    shop: Shop, receive: ReceiveStock, admin: Principal, designer: Principal, kurta: VariantId
) -> None:
    command = delivery(shop, admin, kurta)
    await receive.execute(command)
    other = await receive.execute(replace(command, principal=designer))
    assert (other.value.on_hand, other.replayed) == (20, False)


async def test_another_houses_variant_does_not_exist(
    shop: Shop, receive: ReceiveStock, adjust: AdjustStock, stranger: Principal, kurta: VariantId
) -> None:
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await receive.execute(delivery(shop, stranger, kurta))
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await adjust.execute(correction(shop, stranger, kurta, -1))


async def test_a_variant_that_does_not_exist_is_not_found_even_by_an_admin(
    shop: Shop, receive: ReceiveStock, adjust: AdjustStock, admin: Principal
) -> None:
    nothing = VariantId(admin.user_id)
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await receive.execute(delivery(shop, admin, nothing))
    with refused_with_nothing_committed(shop.database, Reason.VARIANT_NOT_FOUND):
        await adjust.execute(correction(shop, admin, nothing, 1))


async def test_a_refused_request_is_judged_anew(
    shop: Shop, adjust: AdjustStock, receive: ReceiveStock, admin: Principal, kurta: VariantId
) -> None:
    command = correction(shop, admin, kurta, -12)
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK):
        await adjust.execute(command)
    await receive.execute(delivery(shop, admin, kurta))
    answer = await adjust.execute(command)
    assert (answer.value.on_hand, answer.replayed) == (3, False)


@pytest.mark.parametrize("delta", [-3, 4, -10])
async def test_a_count_corrects_the_shelf_once(shop: Shop, adjust: AdjustStock, admin: Principal, delta: int) -> None:
    kurta = shop.stock_variant(pieces=10)
    command = correction(shop, admin, kurta, delta)
    answer = await adjust.execute(command)
    assert (answer.value.on_hand, answer.value.version) == (10 + delta, 2)
    assert await adjust.execute(command) == replace(answer, replayed=True)
    assert (shop.tables.movements[-1].kind, shop.tables.movements[-1].on_hand_delta) == (MovementKind.ADJUST, delta)


async def test_a_count_never_takes_what_a_checkout_holds(
    shop: Shop, adjust: AdjustStock, admin: Principal, kurta: VariantId
) -> None:
    await shop.add(kurta, 3)
    await shop.check_out(rupees(4_497))
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK) as refusal:
        await adjust.execute(correction(shop, admin, kurta, -8))
    assert refusal.error.metadata == {"variant_id": str(kurta), "available": "7", "requested": "8"}
    await adjust.execute(correction(shop, admin, kurta, -7))
    assert shop.level(kurta) == (3, 3)


async def test_a_count_of_counters_that_have_moved_is_refused_with_the_new_etag(
    shop: Shop, adjust: AdjustStock, admin: Principal, kurta: VariantId
) -> None:
    await adjust.execute(correction(shop, admin, kurta, -1, etag="v1"))
    with refused_with_nothing_committed(shop.database, Reason.ETAG_MISMATCH) as refusal:
        await adjust.execute(correction(shop, admin, kurta, -1, etag="v1"))
    assert refusal.error.metadata == {"etag": "v2"}
    await adjust.execute(correction(shop, admin, kurta, -1, etag="v2"))
    assert shop.level(kurta) == (8, 0)


@pytest.mark.parametrize("etag", ["", "1", "v", "v-1", "vx", "v1.0", "w1"])
async def test_what_is_no_etag_is_refused(
    shop: Shop, adjust: AdjustStock, admin: Principal, kurta: VariantId, etag: str
) -> None:
    with refused_with_nothing_committed(shop.database, Reason.VALIDATION_FAILED):
        await adjust.execute(correction(shop, admin, kurta, -1, etag))


async def test_a_commit_that_fails_leaves_nothing_and_the_request_can_be_sent_again(
    shop: Shop, receive: ReceiveStock, admin: Principal, kurta: VariantId
) -> None:
    command = delivery(shop, admin, kurta)
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await receive.execute(command)
    assert shop.level(kurta) == (10, 0)
    assert not (await receive.execute(command)).replayed
    assert shop.level(kurta) == (15, 0)
