"""What the books need from outside."""

from typing import Protocol

from kapda.domain.ledger.entries import LedgerTransaction


class Ledger(Protocol):
    """The books, append-only."""

    async def book(self, transaction: LedgerTransaction) -> None:
        """Write the transaction. The database refuses one that does not sum to zero, and a second one of its reference."""
        ...
