"""The unit of work: one transaction with the repositories that take part in it.

Each context declares its own narrow Protocol with just the repositories its use cases need; one adapter serves them all.
"""

from types import TracebackType
from typing import Protocol, Self


class UnitOfWork(Protocol):
    """`async with unit_of_work() as uow:` ... `await uow.commit()` as the last step.

    Leaving without a commit rolls everything back. Nothing outside the database is called in between.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make it all durable, or raise and leave nothing. Raises AbortedError for a lost race with another transaction
        and UnavailableError when the database cannot say."""
        ...
