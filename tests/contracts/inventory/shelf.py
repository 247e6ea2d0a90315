"""What the suites of this folder do again and again."""

from datetime import timedelta
from uuid import UUID

from kapda.domain.inventory.ports import StockEdit
from kapda.domain.inventory.stock import HoldLine, StockLevel
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import HoldId, UserId, VariantId
from tests.contracts.backing import MEERA, Backing
from tests.fakes.samples import NOON

LATER = NOON + timedelta(minutes=5)


def edit(owner: UserId | None = None) -> StockEdit:
    """Meera's."""
    return StockEdit(LATER, "delivery note 17", MEERA, owner)


def hold_number(number: int) -> HoldId:
    """The id of a hold."""
    return HoldId(UUID(int=0xAA00 + number))


async def held(backing: Backing, number: int, *lines: HoldLine) -> HoldId:
    """A hold of its own transaction, which there is enough for."""
    async with backing.unit_of_work() as uow:
        assert await uow.stock.hold(hold_number(number), lines, LATER) == ()
        await uow.commit()
    return hold_number(number)


async def level(backing: Backing, variant_id: VariantId) -> StockLevel:
    """The counters as committed."""
    async with backing.unit_of_work() as uow:
        found = await uow.stock.get(variant_id, None)
    assert found is not None
    return found


async def told(backing: Backing, variant_id: VariantId) -> list[DomainEvent]:
    """The variant's events as committed, in order."""
    async with backing.unit_of_work() as uow:
        return [sequenced.event for sequenced in await uow.outbox.unsent([variant_id], 100)]
