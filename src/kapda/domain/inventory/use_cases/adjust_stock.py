"""Somebody found pieces too many or too few."""

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
class AdjustStockCommand:
    """`delta` pieces more or fewer, not zero; `etag` where the caller insists on the counters it saw."""

    principal: Principal
    request_id: RequestId
    variant_id: VariantId
    delta: int
    reason: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Corrects the shelf, once a request id, never below what checkouts hold.

    Raises NotFoundError (VARIANT_NOT_FOUND), AbortedError (ETAG_MISMATCH), FailedPreconditionError (INSUFFICIENT_STOCK).
    """

    unit_of_work: Callable[[], InventoryUnitOfWork]
    clock: Clock

    async def execute(self, command: AdjustStockCommand) -> Answer[StockLevel]:
        """The counters after the correction."""
        principal = command.principal
        owner = owner_of(principal)
        key = RequestKey(
            principal.user_id,
            "AdjustStock",
            command.request_id,
            fingerprint(command.variant_id, command.delta, command.reason, command.etag),
        )
        expected = None if command.etag is None else version_of(command.etag)
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, StockLevel)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            level = await uow.stock.adjust(
                command.variant_id,
                StockEdit(self.clock.now(), command.reason, principal.user_id, owner),
                command.delta,
                expected,
            )
            if level is None:
                raise _why_refused(command, expected, await uow.stock.get(command.variant_id, owner))
            await uow.requests.answer(key, level)
            await uow.commit()
        return Answer(level)


def _why_refused(command: AdjustStockCommand, expected: int | None, level: StockLevel | None) -> DomainError:
    if level is None:
        return variant_not_found(command.variant_id)
    if expected is not None and expected != level.version:
        return etag_mismatch(level)
    return insufficient_stock([Shortage(command.variant_id, -command.delta, level.available)])
