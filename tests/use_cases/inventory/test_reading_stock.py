"""Counters and movements, for those who may see them."""

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.availability import HolderState, Obstacle
from kapda.domain.inventory.stock import MovementKind
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailability, ExplainAvailabilityCommand
from kapda.domain.inventory.use_cases.get_stock import GetStock, GetStockCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovements, ListStockMovementsCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.pages import PageRequest
from tests.fakes.refusals import refused
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop


@pytest.fixture
def get(shop: Shop) -> GetStock:
    return GetStock(shop.database.unit_of_work)


@pytest.fixture
def explain(shop: Shop) -> ExplainAvailability:
    return ExplainAvailability(shop.database.unit_of_work)


@pytest.fixture
def movements(shop: Shop) -> ListStockMovements:
    return ListStockMovements(shop.database.unit_of_work)


async def test_a_member_of_the_house_and_an_admin_see_the_counters(
    shop: Shop, get: GetStock, designer: Principal, admin: Principal
) -> None:
    kurta = shop.stock_variant(pieces=4)
    await shop.add(kurta, 3)
    await shop.check_out(rupees(4_497))
    for who in (designer, admin):
        level = await get.execute(GetStockCommand(who, kurta))
        assert (level.on_hand, level.held, level.available) == (4, 3, 1)


async def test_a_stranger_is_told_what_an_admin_is_told_of_nothing(
    shop: Shop, get: GetStock, movements: ListStockMovements, stranger: Principal, admin: Principal
) -> None:
    kurta = shop.stock_variant()
    for who, variant in ((stranger, kurta), (admin, VariantId(admin.user_id))):
        with refused(Reason.VARIANT_NOT_FOUND):
            await get.execute(GetStockCommand(who, variant))
        with refused(Reason.VARIANT_NOT_FOUND):
            await movements.execute(ListStockMovementsCommand(who, variant, PageRequest()))


async def test_movements_are_read_newest_first_page_by_page(
    shop: Shop, movements: ListStockMovements, designer: Principal
) -> None:
    checkout = await shop.check_out_one(quantity=2)
    kurta = checkout.lines[0].variant_id
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    first = await movements.execute(ListStockMovementsCommand(designer, kurta, PageRequest(2)))
    assert [(move.kind, move.on_hand_delta, move.held_delta) for move in first.items] == [
        (MovementKind.SELL, -2, -2),
        (MovementKind.HOLD, 0, 2),
    ]
    assert {move.hold_id for move in first.items} == {checkout.hold_id}
    rest = await movements.execute(ListStockMovementsCommand(designer, kurta, PageRequest(2, first.next_cursor)))
    assert [move.kind for move in rest.items] == [MovementKind.RECEIVE]
    assert rest.next_cursor is None


async def test_reading_commits_nothing(shop: Shop, get: GetStock, admin: Principal) -> None:
    kurta = shop.stock_variant()
    await get.execute(GetStockCommand(admin, kurta))
    assert shop.database.commits == 0


async def test_a_designer_learns_which_checkout_holds_the_last_piece_until_when(
    shop: Shop, explain: ExplainAvailability, designer: Principal
) -> None:
    checkout = await shop.check_out_one(pieces=1)
    found = await explain.execute(ExplainAvailabilityCommand(designer, checkout.lines[0].variant_id))
    (hold,) = found.holds
    assert (hold.hold_id, hold.quantity, hold.state) == (checkout.hold_id, 1, HolderState.OPEN)
    assert (hold.held_since, hold.hold_until) == (checkout.created_at, checkout.hold_until)
    assert (found.level.available, found.obstacles) == (0, (Obstacle.ALL_HELD,))


async def test_a_stranger_is_not_told_why(
    shop: Shop, explain: ExplainAvailability, stranger: Principal, admin: Principal
) -> None:
    kurta = shop.stock_variant()
    for who, variant in ((stranger, kurta), (admin, VariantId(admin.user_id))):
        with refused(Reason.VARIANT_NOT_FOUND):
            await explain.execute(ExplainAvailabilityCommand(who, variant))
