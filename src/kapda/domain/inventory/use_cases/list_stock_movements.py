"""Reads the movement ledger of one variant."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork
from kapda.domain.inventory.stock import StockMovement
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListStockMovementsCommand:
    """Whose eyes, which variant, which page."""

    principal: Principal
    variant_id: VariantId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListStockMovements:
    """Newest first. Raises NotFoundError (VARIANT_NOT_FOUND)."""

    unit_of_work: Callable[[], InventoryUnitOfWork]

    async def execute(self, command: ListStockMovementsCommand) -> Page[StockMovement]:
        """Read, or not found."""
        async with self.unit_of_work() as uow:
            page = await uow.stock.movements(command.variant_id, owner_of(command.principal), command.page)
        if page is None:
            raise variant_not_found(command.variant_id)
        return page
