"""F16, F30: work on money that goes back, or on a guest's cart, stops at any await; the same request finishes it, once."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial

import pytest

from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.ids import RefundId, RequestId
from tests.fakes.samples import rupees
from tests.shop.buyer import deliver, new_buyer
from tests.shop.cancelling import run_cancelled_at
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
from tests.shop.guest import new_guest
from tests.shop.shop import Shop, new_request

# More awaits than any of these has; reaching it means that the test does not end.
TOO_MANY = 120


async def _cut_off_anywhere(
    one_round: Callable[[Callable[[Coroutine[object, object, object]], Awaitable[bool]]], Awaitable[bool]],
) -> None:
    """Play rounds, each cut off one await later than the one before, until one gets through."""
    for at in range(TOO_MANY):
        if not await one_round(partial(run_cancelled_at, at=at)):
            return
    pytest.fail("it never ended")


async def test_a_cancellation_cut_off_anywhere_is_finished_by_the_same_request(shop: Shop) -> None:
    variant = await shop.variant(pieces=TOO_MANY)

    async def one_round(cut_off: Callable[[Coroutine[object, object, object]], Awaitable[bool]]) -> bool:
        buyer = await new_buyer(shop)
        order, request = await buyer.buys(variant), new_request()
        reached = await cut_off(cancel(shop, customer(buyer.id), order.id, request))

        ended = (await cancel(shop, customer(buyer.id), order.id, request)).value

        assert (await cancel(shop, customer(buyer.id), order.id, request)).value == ended
        assert [row["amount_minor"] for row in await refunds_of(shop, await payment_of(shop, order))] == [100_000]
        assert await shop.level(variant) == (TOO_MANY, 0)
        return reached

    await _cut_off_anywhere(one_round)
    await check_books(shop)


async def test_a_refund_cut_off_anywhere_is_promised_once_by_the_same_request(shop: Shop) -> None:
    variant, admin = await shop.variant(pieces=TOO_MANY), await shop.admin()

    async def one_round(cut_off: Callable[[Coroutine[object, object, object]], Awaitable[bool]]) -> bool:
        buyer = await new_buyer(shop)
        order, request = await buyer.buys(variant), new_request()
        reached = await cut_off(refund(shop, admin, order.id, (1, 1), request_id=request))

        promised = (await refund(shop, admin, order.id, (1, 1), request_id=request)).value

        assert promised.amount == rupees(1_000)
        assert (await refund(shop, admin, order.id, (1, 1), request_id=request)).value == promised
        assert [row["id"] for row in await refunds_of(shop, await payment_of(shop, order))] == [promised.id]
        return reached

    await _cut_off_anywhere(one_round)
    await check_books(shop)


async def test_the_sending_of_a_refund_cut_off_anywhere_sends_the_money_once(shop: Shop) -> None:
    variant = await shop.variant(pieces=TOO_MANY)

    async def one_round(cut_off: Callable[[Coroutine[object, object, object]], Awaitable[bool]]) -> bool:
        buyer = await new_buyer(shop)
        order = await buyer.buys(variant)
        await cancel(shop, customer(buyer.id), order.id)
        payment = await payment_of(shop, order)
        (promised,) = await refunds_of(shop, payment)
        command = SendRefundCommand(RefundId(promised["id"]))
        reached = await cut_off(shop.door().send_refund().execute(command))

        await send(shop, promised["id"])
        await send(shop, promised["id"])

        assert [row["state"] for row in await refunds_of(shop, payment)] == ["processed"]
        sent = [one["amount"] for one in (await shop.books())["refunds"] if one["payment_id"] == payment]
        assert sent == [100_000]
        return reached

    await _cut_off_anywhere(one_round)
    await check_books(shop)


async def test_a_case_whose_resolution_is_cut_off_anywhere_ends_once(shop: Shop) -> None:
    variant, admin = await shop.variant(pieces=TOO_MANY), await shop.admin()

    async def one_round(cut_off: Callable[[Coroutine[object, object, object]], Awaitable[bool]]) -> bool:
        buyer, request = await new_buyer(shop), RequestId(new_request())
        checkout = await buyer.checks_out_one(variant)
        async with faults(shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
            triple = await buyer.pay(checkout)
        await deliver(shop, triple)
        (case,) = await cases_of(shop, triple["razorpay_payment_id"])
        reached = await cut_off(resolve(shop, admin, case["id"], Resolution.REFUND, request))

        ended = (await resolve(shop, admin, case["id"], Resolution.REFUND, request)).value

        assert (await resolve(shop, admin, case["id"], Resolution.REFUND, request)).value == ended
        assert len(await refunds_of(shop, triple["razorpay_payment_id"])) == 1
        await buyer.abandon(checkout.id)
        return reached

    await _cut_off_anywhere(one_round)
    await check_books(shop)


async def test_a_guest_cart_whose_merge_is_cut_off_anywhere_is_merged_once(shop: Shop) -> None:
    variant = await shop.variant(pieces=50)

    async def one_round(cut_off: Callable[[Coroutine[object, object, object]], Awaitable[bool]]) -> bool:
        guest, buyer, request = await new_guest(shop), await new_buyer(shop), new_request()
        await guest.add(variant, 2)
        reached = await cut_off(guest.becomes(buyer.id, request))

        merged = (await guest.becomes(buyer.id, request)).value

        assert (await guest.becomes(buyer.id, request)).value == merged
        assert [(line.variant_id, line.quantity) for line in (await buyer.cart()).lines] == [(variant, 2)]
        return reached

    await _cut_off_anywhere(one_round)
