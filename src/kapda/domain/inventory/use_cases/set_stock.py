"""Somebody counted the shelf."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.inventory.owner import owner_of, variant_not_found
from kapda.domain.inventory.ports import InventoryUnitOfWork, StockEdit
from kapda.domain.inventory.stock import Shortage, StockLevel, etag_mismatch, insufficient_stock
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import DomainError
from kapda.domain.shared.etag import version_of
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class SetStockCommand:
    """`on_hand` pieces were counted, held ones included. `etag` is of the counters as they were when the count began:
    pieces that were sold since would come back to life."""

    principal: Principal
    request_id: RequestId
    variant_id: VariantId
    on_hand: int
    etag: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetStock:
    """Sets the shelf to what was counted, once a request id, never below what checkouts hold.

    A count that finds what was known leaves no movement and the etag as it is. Raises NotFoundError (VARIANT_NOT_FOUND),
    AbortedError (ETAG_MISMATCH), FailedPreconditionError (INSUFFICIENT_STOCK).
    """

    unit_of_work: Callable[[], InventoryUnitOfWork]
    clock: Clock

    async def execute(self, command: SetStockCommand) -> Answer[StockLevel]:
        """The counters after the count."""
        principal = command.principal
        owner = owner_of(principal)
        key = RequestKey(
            principal.user_id,
            "SetStock",
            command.request_id,
            fingerprint(command.variant_id, command.on_hand, command.etag, command.reason),
        )
        expected = version_of(command.etag)
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, StockLevel)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            edit = StockEdit(self.clock.now(), command.reason, principal.user_id, owner)
            level = await uow.stock.set_on_hand(command.variant_id, edit, command.on_hand, expected)
            if level is None:
                raise _why_refused(command, expected, await uow.stock.get(command.variant_id, owner))
            await uow.requests.answer(key, level)
            await uow.commit()
        return Answer(level)


def _why_refused(command: SetStockCommand, expected: int, level: StockLevel | None) -> DomainError:
    if level is None:
        return variant_not_found(command.variant_id)
    if expected != level.version:
        return etag_mismatch(level)
    return insufficient_stock([Shortage(command.variant_id, level.on_hand - command.on_hand, level.available)])
