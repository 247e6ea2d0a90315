"""What is booked when money comes in."""

from datetime import datetime
from uuid import UUID

from kapda.domain.ledger.entries import Account, Entry, LedgerTransaction, TransactionKind, without_zeros
from kapda.domain.orders.order import Order
from kapda.domain.payments.payment import PaymentCase
from kapda.domain.shared import money


def order_placed(transaction_id: UUID, order: Order) -> LedgerTransaction:
    """The gateway owes us the total; we owe each designer their net, the state the GST on our commission, and keep the
    commission and the shipping charge. Entries of one designer are kept a line, so that each can be reversed by itself.
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
                Entry(Account.GATEWAY_RECEIVABLE, order.total),
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
