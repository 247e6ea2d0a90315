"""F41: what sending money back asks of the database does not grow with the order's lines, its refunds or open cases."""

from functools import partial
from uuid import UUID

from kapda.domain.orders.use_cases.list_refunds import ListRefundsCommand
from kapda.domain.payments.payment_case import Resolution
from tests.adapters.postgres.counting import Rows, big_order, rows
from tests.shop.buyer import deliver, new_buyer
from tests.shop.desk import (
    cancel,
    cases_of,
    check_books,
    customer,
    faults,
    payment_of,
    refund,
    refunds_of,
    resolve,
    send,
)

__all__ = ["rows"]

# As in test_statement_counts.py.
COUNTS = {
    "list_refunds": 2,  # may the caller see the order; its refunds
    # claim, find; lock and read the payment, lock and read the order, what went back; save, reserve, refund, reversal,
    # books, job, events + answer, stock
    "cancel_order": 15,
    # spend the nonce, claim, find; the same locks and reads; reserve, refund, reversal, books, job, event + answer, stock
    "refund_order": 15,
    # read, postpone; gateway; payment, lock and read it, find, lock and read the refund, save, note, books + event
    "send_refund": 11,
    # nonce, claim, case, find and lock the checkout, lock and read the payment, lock the case, refunds; save, answer,
    # reserve, refund, books, job + event
    "resolve_case": 15,
}


async def test_f41_sending_money_back_does_not_grow_with_the_rows(rows: Rows) -> None:
    shop, container, admin = rows.shop, rows.shop.container, await rows.shop.admin()
    (_, order), (buyer, unwanted) = await big_order(rows), await big_order(rows)
    positions = [line.position for line in order.lines]
    for position in positions[: rows.count // 2]:
        await refund(shop, admin, order.id, (position, 1))
    pieces = [(position, 1) for position in positions[rows.count // 2 :]]
    # What is refunded is read afterwards, so that each call is made once.
    counted = {
        "refund_order": await rows.counted(partial(refund, shop, admin, order.id, *pieces, restock=True)),
        "list_refunds": await rows.counted(
            partial(container.list_refunds().execute, ListRefundsCommand(admin, order.id))
        ),
        "cancel_order": await rows.counted(partial(cancel, shop, customer(buyer.id), unwanted.id)),
    }
    newest = (await refunds_of(shop, await payment_of(shop, unwanted)))[-1]
    counted["send_refund"] = await rows.counted(partial(send, shop, newest["id"]))
    case = await _many_open_cases(rows)
    counted["resolve_case"] = await rows.counted(partial(resolve, shop, admin, case, Resolution.REFUND))

    assert counted == COUNTS
    await check_books(shop)


async def _many_open_cases(rows: Rows) -> UUID:
    """Payments of another amount than asked for; the last one's case."""
    triple = {}
    for _ in range(rows.count // 5 + 1):
        buyer = await new_buyer(rows.shop)
        checkout = await buyer.checks_out_one(rows.variants[0])
        async with faults(rows.shop, {"kind": "paid_amount", "by": -100, "times": 1}):
            triple = await buyer.pay(checkout)
        await deliver(rows.shop, triple)
    (case,) = await cases_of(rows.shop, triple["razorpay_payment_id"])
    return UUID(str(case["id"]))
