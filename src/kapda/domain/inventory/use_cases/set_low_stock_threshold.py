"""A house says when it wants to hear that a variant runs out."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork
from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class SetLowStockThresholdCommand:
    """With `threshold` pieces available, or fewer, the variant is low; with 0, only when it is sold out."""

    principal: Principal
    request_id: RequestId
    variant_id: VariantId
    threshold: int


@dataclass(frozen=True, slots=True)
class SetLowStockThreshold:
    """Sets the threshold; the last word stands. Raises NotFoundError (VARIANT_NOT_FOUND)."""

    unit_of_work: Callable[[], InventoryUnitOfWork]
    clock: Clock

    async def execute(self, command: SetLowStockThresholdCommand) -> Answer[StockLevel]:
        """The counters, which are as they were, with the new threshold."""
        principal = command.principal
        key = RequestKey(
            principal.user_id,
            "SetLowStockThreshold",
            command.request_id,
            fingerprint(command.variant_id, command.threshold),
        )
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, StockLevel)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            level = await uow.stock.set_low_stock_threshold(
                command.variant_id, owner_of(principal), command.threshold, self.clock.now()
            )
            if level is None:
                raise variant_not_found(command.variant_id)
            await uow.requests.answer(key, level)
            await uow.commit()
        return Answer(level)
