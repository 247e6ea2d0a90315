"""Stock as its port promises."""

from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, MovementKind, Shortage, StockLevel
from kapda.domain.shared.ids import HoldId, UserId, VariantId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import MEERA, Backing, variant_number
from tests.fakes.samples import ASHA, NOON

HOLD, OTHER_HOLD = HoldId(UUID(int=0xAA)), HoldId(UUID(int=0xAB))
LATER = NOON + timedelta(minutes=5)


def edit(owner: UserId | None = None) -> StockEdit:
    return StockEdit(LATER, "delivery note 17", MEERA, owner)


async def level(backing: Backing, variant_id: VariantId) -> StockLevel:
    async with backing.unit_of_work() as uow:
        found = await uow.stock.get(variant_id, None)
    assert found is not None
    return found


async def counters(backing: Backing, variant_id: VariantId) -> tuple[int, int, int]:
    """On hand, held and version."""
    found = await level(backing, variant_id)
    return found.on_hand, found.held, found.version


async def hold(backing: Backing, *lines: HoldLine, hold_id: HoldId = HOLD) -> tuple[Shortage, ...]:
    async with backing.unit_of_work() as uow:
        shortages = await uow.stock.hold(hold_id, lines, LATER)
        await uow.commit()
    return shortages


async def test_what_was_received_is_there(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=7)
    assert await level(backing, kurta) == StockLevel(kurta, 7, 0, 1, NOON)


async def test_every_line_is_held_at_once(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2, pieces=1)
    assert await hold(backing, HoldLine(saree, 1), HoldLine(kurta, 3)) == ()
    assert await level(backing, kurta) == StockLevel(kurta, 10, 3, 2, LATER)
    assert await counters(backing, saree) == (1, 1, 2)


async def test_one_short_line_holds_nothing_and_every_shortage_is_named(backing: Backing) -> None:
    kurta, saree, stole = [await backing.stock_variant(number, pieces=number) for number in (1, 2, 3)]
    missing = variant_number(9)
    shortages = await hold(backing, HoldLine(stole, 3), HoldLine(saree, 3), HoldLine(missing, 1), HoldLine(kurta, 2))
    assert set(shortages) == {Shortage(saree, 3, 2), Shortage(missing, 1, 0), Shortage(kurta, 2, 1)}
    assert [await counters(backing, variant) for variant in (kurta, saree, stole)] == [(1, 0, 1), (2, 0, 1), (3, 0, 1)]


async def test_held_pieces_are_short_for_the_next(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=3)
    await hold(backing, HoldLine(kurta, 2))
    assert await hold(backing, HoldLine(kurta, 2), hold_id=OTHER_HOLD) == (Shortage(kurta, 2, 1),)
    assert await hold(backing, HoldLine(kurta, 1), hold_id=OTHER_HOLD) == ()


async def test_a_released_hold_gives_its_pieces_back_once(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    await hold(backing, HoldLine(kurta, 2), HoldLine(saree, 1))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.release(HOLD, LATER, "checkout expired") == 2
        assert await uow.stock.release(HOLD, LATER, "checkout expired") == 0
        assert await uow.stock.sell(HOLD, LATER, "order K1") == 0
        await uow.commit()
    assert (await counters(backing, kurta), await counters(backing, saree)) == ((10, 0, 3), (10, 0, 3))


async def test_a_sold_hold_leaves_the_shelf_once(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    await hold(backing, HoldLine(kurta, 2), HoldLine(saree, 1))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.sell(HOLD, LATER, "order K1") == 2
        assert await uow.stock.sell(HOLD, LATER, "order K1") == 0
        assert await uow.stock.release(HOLD, LATER, "checkout expired") == 0
        await uow.commit()
    assert (await counters(backing, kurta), await counters(backing, saree)) == ((8, 0, 3), (9, 0, 3))


async def test_a_released_hold_may_be_taken_again_with_other_quantities(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await hold(backing, HoldLine(kurta, 2))
    async with backing.unit_of_work() as uow:
        await uow.stock.release(HOLD, LATER, "checkout expired")
        await uow.commit()
    assert await hold(backing, HoldLine(kurta, 3)) == ()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.sell(HOLD, LATER, "order K1") == 1
        await uow.commit()
    assert await counters(backing, kurta) == (7, 0, 5)


async def test_a_hold_that_never_was_holds_nothing(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.stock.release(HOLD, LATER, "checkout expired") == 0
        assert await uow.stock.sell(HOLD, LATER, "order K1") == 0


async def test_sold_pieces_come_back_as_returns(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    await hold(backing, HoldLine(kurta, 3), HoldLine(saree, 1))
    async with backing.unit_of_work() as uow:
        await uow.stock.sell(HOLD, LATER, "order K1")
        await uow.stock.take_back(HOLD, [HoldLine(saree, 1), HoldLine(kurta, 2)], LATER, "order K1 cancelled")
        await uow.commit()
    assert (await counters(backing, kurta), await counters(backing, saree)) == ((9, 0, 4), (10, 0, 4))
    async with backing.unit_of_work() as uow:
        page = await uow.stock.movements(kurta, None, PageRequest(1))
    assert page is not None
    (back,) = page.items
    assert (back.kind, back.on_hand_delta, back.held_delta, back.hold_id) == (MovementKind.RETURN, 2, 0, HOLD)
    assert (back.reason, back.actor) == ("order K1 cancelled", "orders")


async def test_one_hold_is_not_the_others(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await hold(backing, HoldLine(kurta, 2))
    await hold(backing, HoldLine(kurta, 3), hold_id=OTHER_HOLD)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.release(HOLD, LATER, "checkout expired") == 1
        await uow.commit()
    assert await counters(backing, kurta) == (10, 3, 4)


async def test_holds_change_hands_within_one_transaction(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=1)
    await hold(backing, HoldLine(kurta, 1))
    async with backing.unit_of_work() as uow:
        await uow.stock.lock([kurta, kurta])
        assert await uow.stock.release(HOLD, LATER, "checkout superseded") == 1
        assert await uow.stock.hold(OTHER_HOLD, [HoldLine(kurta, 1)], LATER) == ()
        await uow.commit()
    assert await counters(backing, kurta) == (1, 1, 4)


async def test_without_a_commit_nothing_is_held(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        await uow.stock.hold(HOLD, [HoldLine(kurta, 2)], LATER)
    assert await counters(backing, kurta) == (10, 0, 1)


async def test_received_pieces_are_added(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.receive(kurta, edit(), 5) == StockLevel(kurta, 15, 0, 2, LATER)
        await uow.commit()
    assert await counters(backing, kurta) == (15, 0, 2)


@pytest.mark.parametrize(("delta", "on_hand"), [(4, 14), (-7, 3)])
async def test_a_count_adds_or_takes_down_to_what_is_held(backing: Backing, delta: int, on_hand: int) -> None:
    kurta = await backing.stock_variant()
    await hold(backing, HoldLine(kurta, 3))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.adjust(kurta, edit(), delta, None) == StockLevel(kurta, on_hand, 3, 3, LATER)
        await uow.commit()


async def test_a_count_below_what_is_held_or_of_another_version_changes_nothing(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await hold(backing, HoldLine(kurta, 3))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.adjust(kurta, edit(), -8, None) is None
        assert await uow.stock.adjust(kurta, edit(), -1, 1) is None
        assert await uow.stock.adjust(kurta, edit(), -1, 2) == StockLevel(kurta, 9, 3, 3, LATER)
        await uow.commit()
    assert await counters(backing, kurta) == (9, 3, 3)


@pytest.mark.parametrize("owner", [None, MEERA])
async def test_a_member_of_the_house_and_somebody_who_sees_every_house_see_it(
    backing: Backing, owner: UserId | None
) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.get(kurta, owner) is not None
        assert await uow.stock.receive(kurta, edit(owner), 1) is not None
        assert await uow.stock.adjust(kurta, edit(owner), 1, None) is not None
        assert await uow.stock.movements(kurta, owner, PageRequest()) is not None


async def test_what_a_stranger_may_not_see_does_not_exist(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    for variant, owner in ((kurta, ASHA), (variant_number(9), None), (variant_number(9), MEERA)):
        async with backing.unit_of_work() as uow:
            assert await uow.stock.get(variant, owner) is None
            assert await uow.stock.receive(variant, edit(owner), 1) is None
            assert await uow.stock.adjust(variant, edit(owner), 1, None) is None
            assert await uow.stock.movements(variant, owner, PageRequest()) is None
            await uow.commit()
    assert await counters(backing, kurta) == (10, 0, 1)


async def test_every_change_is_a_movement_and_they_sum_to_the_counters(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await hold(backing, HoldLine(kurta, 3))
    async with backing.unit_of_work() as uow:
        await uow.stock.release(HOLD, LATER, "checkout expired")
        await uow.stock.hold(HOLD, [HoldLine(kurta, 2)], LATER)
        await uow.stock.sell(HOLD, LATER, "order K1")
        await uow.stock.receive(kurta, edit(), 5)
        await uow.stock.adjust(kurta, edit(), -1, None)
        await uow.commit()
    async with backing.unit_of_work() as uow:
        page = await uow.stock.movements(kurta, None, PageRequest())
    assert page is not None
    assert [(move.kind, move.on_hand_delta, move.held_delta, move.hold_id) for move in page.items] == [
        (MovementKind.ADJUST, -1, 0, None),
        (MovementKind.RECEIVE, 5, 0, None),
        (MovementKind.SELL, -2, -2, HOLD),
        (MovementKind.HOLD, 0, 2, HOLD),
        (MovementKind.RELEASE, 0, -3, HOLD),
        (MovementKind.HOLD, 0, 3, HOLD),
        (MovementKind.RECEIVE, 10, 0, None),
    ]
    assert [(move.reason, move.actor) for move in page.items] == [
        ("delivery note 17", str(MEERA)),
        ("delivery note 17", str(MEERA)),
        ("order K1", "checkout"),
        ("checkout started", "checkout"),
        ("checkout expired", "checkout"),
        ("checkout started", "checkout"),
        ("opening", "seed"),
    ]
    assert {move.created_at for move in page.items[:-1]} == {LATER}
    on_hand, held = sum(m.on_hand_delta for m in page.items), sum(m.held_delta for m in page.items)
    assert (on_hand, held, 7) == await counters(backing, kurta)


async def test_movements_are_read_page_by_page_and_of_one_variant_alone(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    for quantity in (1, 2, 3):
        async with backing.unit_of_work() as uow:
            await uow.stock.receive(kurta, edit(), quantity)
            await uow.stock.receive(saree, edit(), 9)
            await uow.commit()
    async with backing.unit_of_work() as uow:
        first = await uow.stock.movements(kurta, None, PageRequest(3))
        assert first is not None
        assert first.next_cursor == (str(first.items[-1].id),)
        rest = await uow.stock.movements(kurta, None, PageRequest(3, first.next_cursor))
    assert rest is not None
    assert [move.on_hand_delta for move in (*first.items, *rest.items)] == [3, 2, 1, 10]
    assert rest.next_cursor is None
