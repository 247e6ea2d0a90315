"""Goods arrive."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork, StockEdit
from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class ReceiveStockCommand:
    """`quantity` pieces of a variant, at least one."""

    principal: Principal
    request_id: RequestId
    variant_id: VariantId
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReceiveStock:
    """Adds pieces to the shelf, once a request id. Raises NotFoundError (VARIANT_NOT_FOUND)."""

    unit_of_work: Callable[[], InventoryUnitOfWork]
    clock: Clock

    async def execute(self, command: ReceiveStockCommand) -> Answer[StockLevel]:
        """The counters after the delivery."""
        principal = command.principal
        key = RequestKey(
            principal.user_id,
            "ReceiveStock",
            command.request_id,
            fingerprint(command.variant_id, command.quantity, command.reason),
        )
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, StockLevel)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            level = await uow.stock.receive(
                command.variant_id,
                StockEdit(self.clock.now(), command.reason, principal.user_id, owner_of(principal)),
                command.quantity,
            )
            if level is None:
                raise variant_not_found(command.variant_id)
            await uow.requests.answer(key, level)
            await uow.commit()
        return Answer(level)
