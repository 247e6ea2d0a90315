"""Refunds, cancellations, the desk and the gateway's news of one payment at once: money and stock move once."""

import itertools
from functools import partial
from typing import Any
from uuid import UUID

from kapda.domain.identity.principal import Principal
from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.finish_payment import FinishPaymentCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.payments.gateway import GatewayRefund
from kapda.domain.payments.payment_case import CaseKind, Resolution
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import RefundId
from tests.shop.buyer import deliver, new_buyer, settle
from tests.shop.desk import (
    bank_says,
    by_hand,
    cancel,
    cases_of,
    check_books,
    customer,
    faults,
    payment_of,
    refund,
    refunds_of,
    resolve,
    send_due,
    states,
)
from tests.shop.gate import at_once
from tests.shop.shop import Shop, new_request

PENDING = {"kind": "refund_pending", "then": None}


async def test_f30_ten_refunds_of_sixty_per_cent_at_once_are_one(shop: Shop) -> None:
    buyer, admin = await new_buyer(shop), await shop.admin()
    order = await buyer.buys(await shop.variant(), 5)

    outcomes = await at_once([partial(refund, shop, admin, order.id, (1, 3)) for _ in range(10)])

    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.REFUND_EXCEEDS_ORDER: 9}
    await send_due(shop)
    assert len(await refunds_of(shop, await payment_of(shop, order))) == 1
    await check_books(shop)


async def test_f30_refunds_and_cancellations_at_once_never_send_back_more_than_was_paid(shop: Shop) -> None:
    for _ in range(4):
        buyer, admin = await new_buyer(shop), await shop.admin()
        variant = await shop.variant(pieces=5)
        order = await buyer.buys(variant, 5)
        calls: list[Any] = [partial(refund, shop, admin, order.id, (1, 3), restock=True) for _ in range(6)]
        calls += [partial(cancel, shop, customer(buyer.id), order.id) for _ in range(4)]

        outcomes = await at_once(calls[::2] + calls[1::2])

        # Whichever came first, the order was called off once, and all of it is on its way back.
        assert set(outcomes.reasons) <= {Reason.REFUND_EXCEEDS_ORDER, Reason.ORDER_STATE_INVALID}
        refunds = await refunds_of(shop, await payment_of(shop, order))
        assert sum(row["amount_minor"] for row in refunds) == order.total.amount_minor
        assert await shop.level(variant) == (5, 0)
        await send_due(shop)
    await check_books(shop)


async def test_f10_two_cancellations_and_their_twins_at_once_give_stock_and_money_back_once(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    variant = await shop.variant(pieces=4)
    order = await buyer.buys(variant, 3)
    request = new_request()
    calls: list[Any] = [partial(cancel, shop, customer(buyer.id), order.id, request) for _ in range(5)]
    calls += [partial(cancel, shop, customer(buyer.id), order.id) for _ in range(3)]

    outcomes = await at_once(calls)

    assert len(outcomes.answers) in (1, 5)
    assert set(outcomes.reasons) == {Reason.ORDER_STATE_INVALID}
    assert await shop.level(variant) == (4, 0)
    assert len(await refunds_of(shop, await payment_of(shop, order))) == 1
    await send_due(shop)
    await check_books(shop)


async def test_f11_a_cancellation_beside_the_payments_own_late_news_revives_nothing(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    variant = await shop.variant(pieces=2)
    checkout = await buyer.checks_out_one(variant)
    triple = await buyer.pay(checkout)
    order = (await buyer.place(checkout, triple)).value
    calls: list[Any] = [partial(cancel, shop, customer(buyer.id), order.id)]
    calls += [partial(deliver, shop, triple, event) for event in ("payment.captured", "order.paid")]
    calls += [partial(settle, shop, checkout.id), partial(buyer.place, checkout, triple)]

    outcomes = await at_once(calls * 2)

    assert set(outcomes.reasons) <= {Reason.ORDER_STATE_INVALID}
    assert await shop.level(variant) == (2, 0)
    await send_due(shop)
    await check_books(shop)


async def test_one_refund_sent_by_several_workers_is_made_and_booked_once(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant())
    await cancel(shop, customer(buyer.id), order.id)
    payment_id = await payment_of(shop, order)
    (ours,) = await refunds_of(shop, payment_id)

    outcomes = await at_once(
        [partial(shop.door().send_refund().execute, SendRefundCommand(RefundId(ours["id"]))) for _ in range(9)]
    )

    assert set(outcomes.reasons) <= {Reason.GATEWAY_UNAVAILABLE}
    await send_due(shop)
    made = [refund for refund in (await shop.books())["refunds"] if refund["payment_id"] == payment_id]
    assert len(made) == 1
    await check_books(shop)


async def _told(shop: Shop, refund_id: str) -> GatewayRefund:
    found = await shop.container.gateway().fetch_refund(refund_id)
    assert found is not None
    return found


async def _worked_off(shop: Shop, admin: Principal, order: Order, payment_id: str) -> None:
    """What was sent by hand and did not fit beside our own refunds is booked once these have failed for it, and the desk has
    given them up."""
    await send_due(shop)
    for case in await cases_of(shop, payment_id):
        if case["kind"] == CaseKind.REFUND_FAILED.value and case["state"] == "open":
            await resolve(shop, admin, case["id"], Resolution.WRITE_OFF)
    await settle(shop, order.checkout_id)


async def test_f9_everything_that_touches_one_orders_payment_at_once_never_deadlocks(shop: Shop) -> None:
    """Cancel, refund, news of two refunds by hand, a failing one, the finisher: all take the payment's lock first."""
    admin = await shop.admin()
    async with faults(shop, PENDING):
        for _ in range(5):
            buyer = await new_buyer(shop)
            order = await buyer.buys(await shop.variant(), 4)
            payment_id = await payment_of(shop, order)
            hands = [await by_hand(shop, payment_id, order.total.amount_minor // 8) for _ in range(2)]
            await bank_says(shop, hands[1], "fail")
            news = [await _told(shop, hand) for hand in hands]
            calls: list[Any] = [partial(refund, shop, admin, order.id, (1, 1)) for _ in range(2)]
            calls += [partial(shop.door().record_refund().told, told) for told in news * 2]
            calls += [
                partial(shop.door().finish_payment().execute, FinishPaymentCommand(payment_id, "race")),
                partial(cancel, shop, customer(buyer.id), order.id),
                partial(settle, shop, order.checkout_id),
            ]
            outcomes = await at_once(calls)
            # 40P01 would be CONCURRENT_UPDATE; so is news that does not fit beside refunds under way.
            assert set(outcomes.reasons) <= {Reason.REFUND_EXCEEDS_ORDER, Reason.CONCURRENT_UPDATE}
            await _worked_off(shop, admin, order, payment_id)
    assert await shop.count("pg_stat_database WHERE datname = current_database() AND deadlocks > 0") == 0


async def _failed(shop: Shop) -> tuple[UUID, str, list[GatewayRefund]]:
    """An open case of a failed refund, and the news of others by hand of the same payment."""
    buyer, admin = await new_buyer(shop), await shop.admin()
    order = await buyer.buys(await shop.variant(), 4)
    payment_id = await payment_of(shop, order)
    ours = (await refund(shop, admin, order.id, (1, 1))).value
    await send_due(shop)
    (row,) = await refunds_of(shop, payment_id)
    await bank_says(shop, row["gateway_refund_id"], "fail")
    await send_due(shop)
    (case,) = await cases_of(shop, payment_id)
    assert case["refund_id"] == ours.id
    amounts = (ours.amount.amount_minor, ours.amount.amount_minor // 2)
    return case["id"], payment_id, [await _told(shop, await by_hand(shop, payment_id, amount)) for amount in amounts]


async def test_the_desk_and_the_gateways_news_about_one_payment_at_once_never_deadlock(shop: Shop) -> None:
    admin = await shop.admin()
    async with faults(shop, PENDING):
        for turn in range(5):
            case, payment_id, news = await _failed(shop)
            calls: list[Any] = [partial(resolve, shop, admin, case, Resolution.REFUND) for _ in range(2)]
            calls += [partial(shop.door().record_refund().told, told) for told in news * 2]
            calls += [partial(resolve, shop, admin, case, Resolution.WRITE_OFF)]
            shift = turn % len(calls)
            outcomes = await at_once(calls[shift:] + calls[:shift])
            # A deadlock would be CONCURRENT_UPDATE.
            assert set(outcomes.reasons) <= {Reason.CASE_RESOLUTION_NOT_ALLOWED}
            (first, *_) = await cases_of(shop, payment_id)
            assert first["state"] == "resolved"
    assert await shop.count("pg_stat_database WHERE datname = current_database() AND deadlocks > 0") == 0


async def test_two_admins_deciding_one_case_decide_it_once(shop: Shop) -> None:
    first, second = await shop.admin(), await shop.admin()
    for _ in range(3):
        buyer = await new_buyer(shop)
        checkout = await buyer.checks_out_one(await shop.variant())
        async with faults(shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
            triple = await buyer.pay(checkout)
        await deliver(shop, triple)
        (case,) = await cases_of(shop, triple["razorpay_payment_id"])
        resolutions = itertools.product((first, second), (Resolution.REFUND, Resolution.WRITE_OFF))
        outcomes = await at_once([partial(resolve, shop, admin, case["id"], r) for admin, r in resolutions])
        assert len(outcomes.answers) == 1
        assert outcomes.reasons == {Reason.CASE_RESOLUTION_NOT_ALLOWED: 3}
        assert states(await cases_of(shop, triple["razorpay_payment_id"])) == ["resolved"]
