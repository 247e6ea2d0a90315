"""A delivery is taken in as a whole or not at all."""

from kapda.domain.inventory.delivery import MAX_DELIVERY_LINES, Arrival, DeliveryLine
from kapda.domain.inventory.stock import HoldLine, MovementKind, StockLevel
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.backing import MEERA, Backing, variant_number
from tests.contracts.inventory.shelf import LATER, edit, held, level
from tests.fakes.samples import ASHA


async def deliver(backing: Backing, *lines: DeliveryLine, owner: UserId | None = None) -> tuple[Arrival, ...]:
    async with backing.unit_of_work() as uow:
        arrivals = await uow.stock.receive_all(edit(owner), lines)
        await uow.commit()
    return arrivals


async def test_lines_by_id_and_by_sku_arrive_in_their_order(backing: Backing) -> None:
    kurta, saree, stole = [await backing.stock_variant(number, pieces=number) for number in (1, 2, 3)]
    await held(backing, 1, HoldLine(saree, 1))
    arrivals = await deliver(
        backing,
        DeliveryLine(30, variant_id=stole),
        DeliveryLine(10, sku="RNG-KURTA-001"),
        DeliveryLine(20, sku="RNG-KURTA-002"),
        owner=MEERA,
    )
    assert arrivals == (
        Arrival(stole, StockLevel(stole, 33, 0, 2, LATER)),
        Arrival(kurta, StockLevel(kurta, 11, 0, 2, LATER)),
        Arrival(saree, StockLevel(saree, 22, 1, 3, LATER)),
    )
    assert await level(backing, saree) == arrivals[2].level
    async with backing.unit_of_work() as uow:
        page = await uow.stock.movements(stole, None, PageRequest(1))
    assert page is not None
    (movement,) = page.items
    assert (movement.kind, movement.on_hand_delta, movement.reason) == (MovementKind.RECEIVE, 30, "delivery note 17")


async def test_a_line_that_names_nothing_keeps_all_others_out(backing: Backing) -> None:
    kurta = await backing.stock_variant(1)
    arrivals = await deliver(
        backing,
        DeliveryLine(1, variant_id=variant_number(9)),
        DeliveryLine(2, variant_id=kurta),
        DeliveryLine(3, sku="rng-kurta-001"),
    )
    assert arrivals == (Arrival(None, None), Arrival(kurta, None), Arrival(None, None))
    assert (await level(backing, kurta)).version == 1


async def test_two_lines_of_one_variant_keep_all_out_under_whatever_names(backing: Backing) -> None:
    kurta, saree = await backing.stock_variant(1), await backing.stock_variant(2)
    by_id, by_sku = DeliveryLine(1, variant_id=kurta), DeliveryLine(1, sku="RNG-KURTA-001")
    for twice in ((by_id, by_id), (by_sku, by_sku), (by_id, by_sku)):
        arrivals = await deliver(backing, *twice, DeliveryLine(1, variant_id=saree))
        assert arrivals == (Arrival(kurta, None), Arrival(kurta, None), Arrival(saree, None))
    assert [(await level(backing, variant)).version for variant in (kurta, saree)] == [1, 1]


async def test_another_houses_variant_does_not_exist_by_either_name(backing: Backing) -> None:
    kurta = await backing.stock_variant(1)
    lines = DeliveryLine(1, variant_id=kurta), DeliveryLine(1, sku="RNG-KURTA-001")
    for line in lines:
        assert await deliver(backing, line, owner=ASHA) == (Arrival(None, None),)
    assert (await level(backing, kurta)).version == 1


async def test_the_largest_delivery_is_taken_in(backing: Backing) -> None:
    variants = [await backing.stock_variant(number, pieces=1) for number in range(1, MAX_DELIVERY_LINES + 1)]
    arrivals = await deliver(backing, *(DeliveryLine(2, variant_id=variant) for variant in reversed(variants)))
    assert [arrival.level.on_hand for arrival in arrivals if arrival.level is not None] == [3] * MAX_DELIVERY_LINES
    assert [arrival.variant_id for arrival in arrivals] == variants[::-1]
