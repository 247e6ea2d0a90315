"""What is booked when money comes in and when it goes back."""

from datetime import datetime
from uuid import UUID

from kapda.domain.ledger.entries import Account, Entry, LedgerTransaction, TransactionKind, without_zeros
from kapda.domain.orders.order import Order
from kapda.domain.orders.reversal import Reversal
from kapda.domain.payments.payment_case import CaseKind, PaymentCase
from kapda.domain.payments.refund import Refund
from kapda.domain.shared import money
from kapda.domain.shared.money import Money


def order_placed(transaction_id: UUID, order: Order, source: Account = Account.GATEWAY_RECEIVABLE) -> LedgerTransaction:
    """The gateway owes us the total; we owe each designer their net, the state the GST on our commission, and keep the
    commission and the shipping charge. Entries of one designer are kept a line, so that each can be reversed by itself.

    `source` is where the money stands: with the gateway, or among the unassigned receipts when a case held it before.
    """
    designers = [Entry(Account.DESIGNER_PAYABLE, -line.designer_net, line.designer_id) for line in order.lines]
    commission = money.total(line.commission for line in order.lines)
    commission_gst = money.total(line.commission_gst for line in order.lines)
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.ORDER_PLACED,
        reference_id=order.id,
        created_at=order.placed_at,
        entries=without_zeros(
            [
                Entry(source, order.total),
                *designers,
                Entry(Account.COMMISSION_REVENUE, -commission),
                Entry(Account.COMMISSION_GST_PAYABLE, -commission_gst),
                Entry(Account.SHIPPING_REVENUE, -order.shipping),
            ]
        ),
    )


def case_opened(transaction_id: UUID, case: PaymentCase, at: datetime) -> LedgerTransaction:
    """The gateway owes us the money, and we do not know yet whose it is."""
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.CASE_OPENED,
        reference_id=case.id,
        created_at=at,
        entries=(
            Entry(Account.GATEWAY_RECEIVABLE, case.amount),
            Entry(Account.UNASSIGNED_RECEIPTS, -case.amount),
        ),
    )


def lines_reversed(
    transaction_id: UUID, refund: Refund, reversal: Reversal, target: Account = Account.REFUNDS_PAYABLE
) -> LedgerTransaction:
    """Each party gives back what that very line gave it.

    `target` is who is owed it: the customer, or the adjustments where the money has gone back already.
    """
    designers = [Entry(Account.DESIGNER_PAYABLE, line.designer_net, line.designer_id) for line in reversal.lines]
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.REFUND_REQUESTED,
        reference_id=refund.id,
        created_at=refund.requested_at,
        entries=without_zeros(
            [
                *designers,
                Entry(Account.COMMISSION_REVENUE, money.total(line.commission for line in reversal.lines)),
                Entry(Account.COMMISSION_GST_PAYABLE, money.total(line.commission_gst for line in reversal.lines)),
                Entry(Account.SHIPPING_REVENUE, reversal.shipping),
                Entry(target, -reversal.amount),
            ]
        ),
    )


def refund_requested(transaction_id: UUID, refund: Refund, source: Account) -> LedgerTransaction:
    """The customer is owed money that no order line gives back: it comes from `source`."""
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.REFUND_REQUESTED,
        reference_id=refund.id,
        created_at=refund.requested_at,
        entries=(Entry(source, refund.amount), Entry(Account.REFUNDS_PAYABLE, -refund.amount)),
    )


def refund_processed(transaction_id: UUID, refund: Refund, at: datetime) -> LedgerTransaction:
    """The gateway has sent what we owed, out of what it owes us."""
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.REFUND_PROCESSED,
        reference_id=refund.id,
        created_at=at,
        entries=(Entry(Account.REFUNDS_PAYABLE, refund.amount), Entry(Account.GATEWAY_RECEIVABLE, -refund.amount)),
    )


def refund_returned(transaction_id: UUID, refund: Refund, at: datetime) -> LedgerTransaction:
    """What the gateway had sent came back to it: it owes us, and we owe the customer again."""
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.REFUND_RETURNED,
        reference_id=refund.id,
        created_at=at,
        entries=(Entry(Account.GATEWAY_RECEIVABLE, refund.amount), Entry(Account.REFUNDS_PAYABLE, -refund.amount)),
    )


def refund_dropped(transaction_id: UUID, refund: Refund, source: Account, at: datetime) -> LedgerTransaction:
    """A refund that nobody here had promised came to nothing: its money is back in `source`."""
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.REFUND_DROPPED,
        reference_id=refund.id,
        created_at=at,
        entries=(Entry(Account.REFUNDS_PAYABLE, refund.amount), Entry(source, -refund.amount)),
    )


# Where the money of a case stands until it is decided.
HELD_IN = {
    CaseKind.REFUND_FAILED: Account.REFUNDS_PAYABLE,
    CaseKind.DASHBOARD_REFUND: Account.REFUND_ADJUSTMENTS,
}


def case_written_off(transaction_id: UUID, case: PaymentCase, left: Money, at: datetime) -> LedgerTransaction:
    """Nothing more will be done about what is `left` of the case's money: what we hold or owed becomes ours, what went back
    becomes a loss."""
    held_in = HELD_IN.get(case.kind, Account.UNASSIGNED_RECEIPTS)
    amount = -left if held_in is Account.REFUND_ADJUSTMENTS else left
    return LedgerTransaction(
        id=transaction_id,
        kind=TransactionKind.CASE_WRITTEN_OFF,
        reference_id=case.id,
        created_at=at,
        entries=(Entry(held_in, amount), Entry(Account.WRITE_OFFS, -amount)),
    )
