"""Deletes carts that nobody came back to."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.clock import Clock

# Carts of one transaction, each with up to fifty lines: some milliseconds of locks that nobody waits for.
BATCH = 200
# Transactions of one run; what is left over waits for the next. Expired carts read as absent meanwhile.
MAX_BATCHES = 20


@dataclass(frozen=True, slots=True)
class ExpireCarts:
    """A bounded sweep. Several may run at once: none waits for another's rows."""

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock

    async def execute(self) -> int:
        """How many carts went, BATCH * MAX_BATCHES at most."""
        deleted = 0
        for _ in range(MAX_BATCHES):
            async with self.unit_of_work() as uow:
                found = await uow.carts.delete_expired(self.clock.now(), BATCH)
                await uow.commit()
            deleted += found
            if found < BATCH:
                break
        return deleted
