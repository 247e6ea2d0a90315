"""A delivery of many variants arrives."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.delivery import DeliveryLine, refusal_of
from kapda.domain.inventory.owner import owner_of
from kapda.domain.inventory.ports import InventoryUnitOfWork, StockEdit
from kapda.domain.inventory.stock import StockLevel
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class BatchReceiveStockCommand:
    """One delivery, at most MAX_DELIVERY_LINES lines, each variant once; `reason` is written on every movement."""

    principal: Principal
    request_id: RequestId
    lines: tuple[DeliveryLine, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """The counters after a delivery, one a line and in the lines' order."""

    levels: tuple[StockLevel, ...]


@dataclass(frozen=True, slots=True)
class BatchReceiveStock:
    """Adds the pieces of every line or of none, once a request id.

    Every line that is wrong is named. Raises NotFoundError (VARIANT_NOT_FOUND) when a line names no variant of the owner,
    InvalidArgumentError (VALIDATION_FAILED) when lines only repeat each other.
    """

    unit_of_work: Callable[[], InventoryUnitOfWork]
    clock: Clock

    async def execute(self, command: BatchReceiveStockCommand) -> Answer[ReceivedBatch]:
        """The counters after the delivery."""
        principal = command.principal
        key = RequestKey(
            principal.user_id, "BatchReceiveStock", command.request_id, fingerprint(command.lines, command.reason)
        )
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, ReceivedBatch)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            edit = StockEdit(self.clock.now(), command.reason, principal.user_id, owner_of(principal))
            arrivals = await uow.stock.receive_all(edit, command.lines)
            refusal = refusal_of(command.lines, arrivals)
            if refusal is not None:
                raise refusal
            received = ReceivedBatch(tuple(arrival.level for arrival in arrivals if arrival.level is not None))
            await uow.requests.answer(key, received)
            await uow.commit()
        return Answer(received)
