"""`stock.low`, told once for each time that a variant becomes low."""

import pytest

from kapda.domain.inventory.stock import HoldLine, Shortage
from kapda.domain.shared.ids import VariantId
from tests.contracts.backing import MEERA, Backing, product_number, variant_number
from tests.contracts.inventory.shelf import LATER, edit, held, hold_number, level, told
from tests.fakes.samples import ASHA, RANGREZ


async def _adjusted(backing: Backing, variant_id: VariantId, delta: int) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.stock.adjust(variant_id, edit(), delta, None) is not None
        await uow.commit()


async def _with_threshold(backing: Backing, variant_id: VariantId, threshold: int) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_low_stock_threshold(variant_id, None, threshold, LATER) is not None
        await uow.commit()


async def test_a_hold_that_reaches_the_threshold_tells_with_everything_a_consumer_needs(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    await held(backing, 1, HoldLine(kurta, 4))
    assert (await told(backing, kurta), list(await backing.jobs())) == ([], [])
    await held(backing, 2, HoldLine(kurta, 1))
    (event,) = await told(backing, kurta)
    assert (event.aggregate_type, event.aggregate_id, event.type) == ("stock", kurta, "stock.low")
    assert event.occurred_at == LATER
    assert event.payload == {
        "variant_id": str(kurta),
        "sku": "RNG-KURTA-001",
        "product_id": str(product_number(1)),
        "designer_id": str(RANGREZ),
        "on_hand": 10,
        "held": 5,
        "available": 5,
        "low_stock_threshold": 5,
    }


async def test_a_low_variant_that_goes_on_selling_tells_nothing_more(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=7)
    first = await held(backing, 1, HoldLine(kurta, 3))
    await held(backing, 2, HoldLine(kurta, 2))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.sell(first, LATER, "order K1") == 1
        await uow.commit()
    await _adjusted(backing, kurta, -1)
    assert [event.payload["available"] for event in await told(backing, kurta)] == [4]


async def test_a_sale_of_what_was_held_tells_nothing(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=8)
    hold = await held(backing, 1, HoldLine(kurta, 2))
    async with backing.unit_of_work() as uow:
        assert await uow.stock.sell(hold, LATER, "order K1") == 1
        await uow.commit()
    assert (await level(backing, kurta)).available == 6
    assert await told(backing, kurta) == []


async def test_a_variant_that_rose_tells_again_when_it_falls(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=6)
    hold = await held(backing, 1, HoldLine(kurta, 1))
    async with backing.unit_of_work() as uow:
        await uow.stock.release(hold, LATER, "checkout expired")
        await uow.commit()
    await held(backing, 2, HoldLine(kurta, 2))
    async with backing.unit_of_work() as uow:
        await uow.stock.receive(kurta, edit(), 10)
        await uow.commit()
    await _adjusted(backing, kurta, -10)
    assert [event.payload["available"] for event in await told(backing, kurta)] == [5, 4, 4]


async def test_a_checkout_that_takes_anothers_place_does_not_tell_what_is_known(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=6)
    hold = await held(backing, 1, HoldLine(kurta, 2))
    async with backing.unit_of_work() as uow:
        await uow.stock.lock([kurta])
        await uow.stock.release(hold, LATER, "checkout superseded")
        assert await uow.stock.hold(hold_number(2), [HoldLine(kurta, 3)], LATER) == ()
        await uow.commit()
    assert [event.payload["available"] for event in await told(backing, kurta)] == [4]


async def test_each_variant_of_a_hold_tells_for_itself(backing: Backing) -> None:
    kurta, saree, stole = [await backing.stock_variant(number, pieces=5 + number) for number in (1, 2, 3)]
    await held(backing, 1, HoldLine(stole, 3), HoldLine(saree, 1), HoldLine(kurta, 1))
    assert [len(await told(backing, variant)) for variant in (kurta, saree, stole)] == [1, 0, 1]


async def test_what_is_not_held_or_not_committed_is_not_told(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1, pieces=6), await backing.stock_variant(2, pieces=0)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.hold(hold_number(1), [HoldLine(kurta, 1), HoldLine(saree, 1)], LATER) == (
            Shortage(saree, 1, 0),
        )
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.hold(hold_number(2), [HoldLine(kurta, 1)], LATER) == ()
    assert await told(backing, kurta) == []
    assert list(await backing.jobs()) == []


async def test_a_count_tells_and_the_counters_are_those_after_it(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=20)
    await _adjusted(backing, kurta, -17)
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), 30, 2) is not None
        assert await uow.stock.set_on_hand(kurta, edit(), 2, 3) is not None
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), 6, 4) is not None
        await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_on_hand(kurta, edit(), 5, 5) is not None
        await uow.commit()
    assert [event.payload["on_hand"] for event in await told(backing, kurta)] == [3, 5]


async def test_a_variants_own_threshold_decides(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    await _with_threshold(backing, kurta, 0)
    await held(backing, 1, HoldLine(kurta, 9))
    assert await told(backing, kurta) == []
    await held(backing, 2, HoldLine(kurta, 1))
    assert [event.payload["available"] for event in await told(backing, kurta)] == [0]


@pytest.mark.parametrize(("threshold", "events"), [(9, 0), (10, 1), (11, 1)])
async def test_a_threshold_that_rises_to_what_is_available_tells(backing: Backing, threshold: int, events: int) -> None:
    kurta = await backing.stock_variant(pieces=10)
    await _with_threshold(backing, kurta, threshold)
    await _with_threshold(backing, kurta, threshold)
    assert len(await told(backing, kurta)) == events


async def test_a_threshold_changes_no_counter_and_no_version(backing: Backing) -> None:
    kurta = await backing.stock_variant(pieces=10)
    before = await level(backing, kurta)
    await _with_threshold(backing, kurta, 3)
    after = await level(backing, kurta)
    assert (before.low_stock_threshold, after.low_stock_threshold) == (5, 3)
    assert (after.version, after.on_hand, after.updated_at) == (before.version, 10, before.updated_at)


async def test_a_stranger_sets_no_threshold(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    async with backing.unit_of_work() as uow:
        assert await uow.stock.set_low_stock_threshold(kurta, ASHA, 9, LATER) is None
        assert await uow.stock.set_low_stock_threshold(variant_number(9), None, 9, LATER) is None
        found = await uow.stock.set_low_stock_threshold(kurta, MEERA, 9, LATER)
    assert found is not None
    assert found.low_stock_threshold == 9
