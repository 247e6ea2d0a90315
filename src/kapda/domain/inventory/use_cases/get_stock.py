"""Reads the counters of one variant."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork
from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.ids import VariantId


@dataclass(frozen=True, slots=True)
class GetStockCommand:
    """Whose eyes, and which variant."""

    principal: Principal
    variant_id: VariantId


@dataclass(frozen=True, slots=True)
class GetStock:
    """The counters as they are now. Raises NotFoundError (VARIANT_NOT_FOUND)."""

    unit_of_work: Callable[[], InventoryUnitOfWork]

    async def execute(self, command: GetStockCommand) -> StockLevel:
        """Read, or not found."""
        async with self.unit_of_work() as uow:
            level = await uow.stock.get(command.variant_id, owner_of(command.principal))
        if level is None:
            raise variant_not_found(command.variant_id)
        return level
