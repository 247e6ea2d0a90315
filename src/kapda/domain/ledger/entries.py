"""Double entries: debits positive, credits negative, every transaction zero.

The accounts, and what a balance on them means:

| account                | debit balance               | credit balance                                      |
|------------------------|-----------------------------|-----------------------------------------------------|
| gateway_receivable     | the gateway owes us this    |                                                     |
| unassigned_receipts    |                             | captured, and not yet decided what for (open cases) |
| designer_payable       | the designer owes us        | we owe the designer                                 |
| commission_revenue     |                             | earned by the marketplace                           |
| commission_gst_payable |                             | GST on the commission, owed to the state            |
| shipping_revenue       |                             | charged for shipping                                |
| refunds_payable        |                             | owed to customers: refunds that have not gone yet   |
| refund_adjustments     | refunds nobody has assigned |                                                     |
| write_offs             |                             | money kept by decision of the desk                  |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique
from uuid import UUID

from kapda.domain.shared import money
from kapda.domain.shared.ids import DesignerId
from kapda.domain.shared.money import Money


@unique
class Account(Enum):
    """See the module's table."""

    GATEWAY_RECEIVABLE = "gateway_receivable"
    UNASSIGNED_RECEIPTS = "unassigned_receipts"
    DESIGNER_PAYABLE = "designer_payable"
    COMMISSION_REVENUE = "commission_revenue"
    COMMISSION_GST_PAYABLE = "commission_gst_payable"
    SHIPPING_REVENUE = "shipping_revenue"
    REFUNDS_PAYABLE = "refunds_payable"
    REFUND_ADJUSTMENTS = "refund_adjustments"
    WRITE_OFFS = "write_offs"


@unique
class TransactionKind(Enum):
    """What is booked. One reference of a kind is booked once."""

    ORDER_PLACED = "order_placed"
    CASE_OPENED = "case_opened"
    REFUND_REQUESTED = "refund_requested"
    REFUND_PROCESSED = "refund_processed"
    REFUND_ATTACHED = "refund_attached"
    REFUND_RETURNED = "refund_returned"
    REFUND_DROPPED = "refund_dropped"
    CASE_WRITTEN_OFF = "case_written_off"


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transaction. `designer_id` names whose payable it is, and is None elsewhere."""

    account: Account
    amount: Money
    designer_id: DesignerId | None = None


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """Entries of one cause, booked together. `reference_id` is what caused it: an order, a case."""

    id: UUID
    kind: TransactionKind
    reference_id: UUID
    created_at: datetime
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if len(self.entries) < 2 or any(entry.amount.amount_minor == 0 for entry in self.entries):
            raise ValueError("a ledger transaction has at least two entries, none of them zero")
        if money.total((entry.amount for entry in self.entries), self.entries[0].amount.currency).amount_minor:
            raise ValueError("a ledger transaction sums to zero")


def without_zeros(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that move money."""
    return tuple(entry for entry in entries if entry.amount.amount_minor)
