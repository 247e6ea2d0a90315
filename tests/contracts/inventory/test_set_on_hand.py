"""Setting the shelf to what was counted."""

import pytest

from kapda.domain.inventory.stock import HoldLine, MovementKind, StockLevel
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import MEERA, Backing, variant_number
from tests.contracts.inventory.shelf import LATER, edit, held, level
from tests.fakes.samples import ASHA


@pytest.mark.parametrize(("counted", "difference"), [(14, 4), (3, -7)])
async def test_the_movement_is_the_difference(backing: Backing, counted: int, difference: int) -> None:
    kurta = await backing.stock_variant(pieces=10)
    await held(backing, 1, HoldLine(kurta, 3))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), counted, 2) == StockLevel(kurta, counted, 3, 3, LATER)
        await uow.commit()
    async with backing.unit_of_work() as uow:
        page = await uow.stock.movements(kurta, None, PageRequest(1))
    assert page is not None
    (movement,) = page.items
    assert (movement.kind, movement.on_hand_delta, movement.held_delta) == (MovementKind.ADJUST, difference, 0)
    assert (movement.reason, movement.actor) == ("delivery note 17", str(MEERA))


async def test_a_count_that_finds_what_is_known_leaves_everything_as_it_is(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    before = await level(backing, kurta)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), 10, 1) == before
        await uow.commit()
    assert await level(backing, kurta) == before
    async with backing.unit_of_work() as uow:
        page = await uow.stock.movements(kurta, None, PageRequest())
    assert page is not None
    assert len(page.items) == 1


async def test_a_count_below_what_is_held_or_of_another_version_changes_nothing(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    await held(backing, 1, HoldLine(kurta, 3))
    before = await level(backing, kurta)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), 2, 2) is None
        assert await uow.stock.set_on_hand(kurta, edit(), 8, 1) is None
        # Another version is refused also where the number is right.
        assert await uow.stock.set_on_hand(kurta, edit(), 10, 1) is None
        await uow.commit()
    assert await level(backing, kurta) == before


async def test_a_stranger_counts_nothing(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(ASHA), 9, 1) is None
        assert await uow.stock.set_on_hand(variant_number(9), edit(), 9, 1) is None
        assert await uow.stock.set_on_hand(kurta, edit(MEERA), 9, 1) is not None
