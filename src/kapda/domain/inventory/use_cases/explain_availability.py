"""Answers why a variant is not available: who holds what until when."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.availability import Availability
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork
from kapda.domain.shared.ids import VariantId


@dataclass(frozen=True, slots=True)
class ExplainAvailabilityCommand:
    """Whose eyes, and which variant."""

    principal: Principal
    variant_id: VariantId


@dataclass(frozen=True, slots=True)
class ExplainAvailability:
    """Everything of one moment. Names checkouts, never customers. Raises NotFoundError (VARIANT_NOT_FOUND)."""

    unit_of_work: Callable[[], InventoryUnitOfWork]

    async def execute(self, command: ExplainAvailabilityCommand) -> Availability:
        """Read, or not found."""
        async with self.unit_of_work() as uow:
            availability = await uow.stock.explain(command.variant_id, owner_of(command.principal))
        if availability is None:
            raise variant_not_found(command.variant_id)
        return availability
