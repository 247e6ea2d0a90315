"""What money does at the gateway never keeps pieces from the shelf that nobody is paying for any more."""

from contextlib import suppress

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.errors import AbortedError
from tests.shop.buyer import new_buyer
from tests.shop.desk import (
    bank_says,
    by_hand,
    cases_of,
    check_books,
    faults,
    poll,
    refunds_of,
    resolve,
    run_out,
    send_due,
)
from tests.shop.shop import Shop


async def test_a_refund_by_hand_that_cannot_be_booked_yet_keeps_no_stock_of_an_expired_checkout(shop: Shop) -> None:
    """A payment of another amount, whose refund failed; somebody sends a part by hand before the desk has decided."""
    buyer, variant = await new_buyer(shop), await shop.variant(pieces=3)
    checkout = await buyer.checks_out_one(variant)
    async with faults(shop, {"kind": "paid_amount", "by": -100, "times": 1}):
        payment_id = (await buyer.pay(checkout))["razorpay_payment_id"]
    await poll(shop, checkout.id)
    (case,) = await cases_of(shop, payment_id)
    async with faults(shop, {"kind": "refund_pending", "then": None, "times": 1}):
        await resolve(shop, await shop.admin(), case["id"], Resolution.REFUND)
        await send_due(shop)
    (ours,) = await refunds_of(shop, payment_id)
    await bank_says(shop, ours["gateway_refund_id"], "fail")
    await send_due(shop)
    await by_hand(shop, payment_id, 20_000)

    with suppress(AbortedError):
        await run_out(shop, checkout.id)

    assert (await buyer.checkout(checkout.id)).state is CheckoutState.EXPIRED
    assert await shop.level(variant) == (3, 0)
    await shop.check_promises()

    # The desk gives the failed one up; then the part by hand has its place.
    (failed,) = [c for c in await cases_of(shop, payment_id) if c["kind"] == "refund_failed"]
    await resolve(shop, await shop.admin(), failed["id"], Resolution.WRITE_OFF)
    await poll(shop, checkout.id)
    await check_books(shop)
