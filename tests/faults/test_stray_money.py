"""Money that is no order, and money that leaves by another hand: each ends decided, by itself or at the desk."""

from typing import Any

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.order import Order, OrderState
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.money import INR, Money
from tests.shop.buyer import Buyer, deliver, new_buyer, settle
from tests.shop.desk import (
    bank_says,
    by_hand,
    cancel,
    cases_of,
    check_books,
    customer,
    faults,
    hear,
    payment_of,
    poll,
    refund,
    refunds_of,
    resolve,
    run_out,
    send_due,
    states,
)
from tests.shop.shop import KEY_ID, KEY_SECRET, Shop

PENDING = {"kind": "refund_pending", "then": None, "times": 1}


async def _checked_out(shop: Shop, pieces: int = 10) -> tuple[Buyer, Checkout]:
    buyer = await new_buyer(shop)
    return buyer, await buyer.checks_out_one(await shop.variant(pieces=pieces))


async def _bought(shop: Shop, pieces: int = 1) -> tuple[Buyer, Order, str]:
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant(), pieces)
    return buyer, order, await payment_of(shop, order)


async def _told(shop: Shop, refund_id: str, event: str = "refund.processed") -> None:
    (told,) = [refund for refund in (await shop.books())["refunds"] if refund["id"] == refund_id]
    await hear(shop, event, refund=told, payment={"id": told["payment_id"]})


async def _the_case(shop: Shop, payment_id: str) -> dict[str, Any]:
    (case,) = await cases_of(shop, payment_id)
    return case


async def _refunded_by_itself(shop: Shop, payment_id: str, kind: str) -> None:
    case = await _the_case(shop, payment_id)
    assert (case["kind"], case["state"], case["resolution"]) == (kind, "resolved", "refund")
    await send_due(shop)
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    await check_books(shop)
    # The customer is told, once on the way and once when it has gone.
    await shop.door().relay_events().execute()
    told = "SELECT kind FROM mails WHERE subject_id IN (SELECT id FROM refunds WHERE case_id = :id) ORDER BY kind"
    assert [row["kind"] for row in await shop.sql(told, id=case["id"])] == ["refund_processed", "refund_requested"]


async def test_f27_a_second_payment_of_an_order_is_refunded_by_itself(shop: Shop) -> None:
    buyer, checkout = await _checked_out(shop)
    first = await buyer.pay(checkout)
    order = (await buyer.place(checkout, first)).value
    async with faults(shop, {"kind": "second_payment", "order_id": checkout.gateway_order_id, "times": 1}):
        second = await buyer.pay(checkout)
    await deliver(shop, second)
    with pytest.raises(FailedPreconditionError) as told:
        await buyer.place(checkout, second)
    assert told.value.reason is Reason.PAYMENT_REFUNDED
    await _refunded_by_itself(shop, second["razorpay_payment_id"], "second_payment")
    assert (await buyer.place(checkout, first)).value == order


async def test_f11_a_late_capture_after_a_cancellation_revives_nothing(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    variant = await shop.variant(pieces=3)
    checkout = await buyer.checks_out_one(variant)
    first = await buyer.pay(checkout)
    order = (await buyer.place(checkout, first)).value
    await cancel(shop, customer(buyer.id), order.id)
    async with faults(shop, {"kind": "second_payment", "order_id": checkout.gateway_order_id, "times": 1}):
        second = await buyer.pay(checkout)
    for triple in (second, first, second):
        await deliver(shop, triple, "order.paid")
    assert await shop.level(variant) == (3, 0)
    (row,) = await shop.sql("SELECT state FROM orders WHERE id = :id", id=order.id)
    assert row["state"] == OrderState.CANCELLED.value
    await _refunded_by_itself(shop, second["razorpay_payment_id"], "second_payment")
    assert states(await refunds_of(shop, first["razorpay_payment_id"])) == ["processed"]


async def test_money_for_a_superseded_checkout_goes_back_by_itself(shop: Shop) -> None:
    buyer, old = await _checked_out(shop)
    await buyer.add(await shop.variant())
    new = await buyer.check_out()
    triple = await buyer.pay(old)
    await deliver(shop, triple)
    await buyer.place(new, await buyer.pay(new))
    await _refunded_by_itself(shop, triple["razorpay_payment_id"], "checkout_superseded")


async def test_money_for_an_abandoned_checkout_goes_back_by_itself(shop: Shop) -> None:
    buyer, checkout = await _checked_out(shop)
    await buyer.abandon(checkout.id)
    triple = await buyer.pay(checkout)
    await settle(shop, checkout.id)
    await _refunded_by_itself(shop, triple["razorpay_payment_id"], "checkout_abandoned")


async def test_money_captured_after_the_last_piece_was_sold_goes_back_by_itself(shop: Shop) -> None:
    variant = await shop.variant(pieces=1)
    late, quick = await new_buyer(shop), await new_buyer(shop)
    checkout = await late.checks_out_one(variant)
    await run_out(shop, checkout.id)
    await quick.buys(variant)
    triple = await late.pay(checkout)
    with pytest.raises(FailedPreconditionError) as told:
        await late.place(checkout, triple)
    assert told.value.reason is Reason.PAYMENT_REFUNDED
    await _refunded_by_itself(shop, triple["razorpay_payment_id"], "stock_gone")
    assert await shop.level(variant) == (0, 0)


@pytest.mark.parametrize("by", [-100, 100])
@pytest.mark.parametrize("resolution", [Resolution.REFUND, Resolution.WRITE_OFF])
async def test_a_wrong_amount_is_a_case_that_the_desk_ends(shop: Shop, by: int, resolution: Resolution) -> None:
    buyer, checkout = await _checked_out(shop)
    async with faults(shop, {"kind": "paid_amount", "by": by, "order_id": checkout.gateway_order_id}):
        triple = await buyer.pay(checkout)
    with pytest.raises(FailedPreconditionError) as told:
        await buyer.place(checkout, triple)
    assert told.value.reason is Reason.PAYMENT_UNDER_REVIEW
    case = await _the_case(shop, triple["razorpay_payment_id"])
    assert (case["kind"], case["state"]) == ("amount_mismatch", "open")
    assert case["amount_minor"] == checkout.total.amount_minor + by
    await check_books(shop)

    await resolve(shop, await shop.admin(), case["id"], resolution)
    await send_due(shop)

    expected = ["processed"] if resolution is Resolution.REFUND else []
    assert states(await refunds_of(shop, triple["razorpay_payment_id"])) == expected
    await check_books(shop)


async def test_a_refund_of_an_order_made_by_hand_is_adopted_and_attached(shop: Shop) -> None:
    buyer, order, payment_id = await _bought(shop, 2)
    await _told(shop, await by_hand(shop, payment_id))
    case = await _the_case(shop, payment_id)
    assert (case["kind"], case["state"]) == ("dashboard_refund", "open")
    await check_books(shop)

    await resolve(shop, await shop.admin(), case["id"], Resolution.ATTACH)

    sums = await check_books(shop)
    assert sums.captured == sums.found
    with pytest.raises(FailedPreconditionError) as refused:
        await refund(shop, await shop.admin(), order.id, (1, 1))
    assert refused.value.reason is Reason.REFUND_EXCEEDS_ORDER
    # Nothing is left to send back, so calling the order off sends nothing.
    await cancel(shop, customer(buyer.id), order.id)
    assert len(await refunds_of(shop, payment_id)) == 1
    await check_books(shop)


async def test_part_of_an_order_refunded_by_hand_cannot_be_attached_but_written_off(shop: Shop) -> None:
    _, order, payment_id = await _bought(shop, 2)
    await _told(shop, await by_hand(shop, payment_id, order.total.amount_minor // 2))
    case, admin = await _the_case(shop, payment_id), await shop.admin()
    with pytest.raises(FailedPreconditionError) as refused:
        await resolve(shop, admin, case["id"], Resolution.ATTACH)
    assert refused.value.reason is Reason.REFUND_EXCEEDS_ORDER
    await check_books(shop)
    await resolve(shop, admin, case["id"], Resolution.WRITE_OFF)
    await check_books(shop)


async def test_a_refund_made_by_hand_that_fails_leaves_everything_as_it_was(shop: Shop) -> None:
    _, order, payment_id = await _bought(shop)
    async with faults(shop, PENDING):
        refund_id = await by_hand(shop, payment_id)
    await _told(shop, refund_id, "refund.created")
    case, admin = await _the_case(shop, payment_id), await shop.admin()
    for resolution in (Resolution.ATTACH, Resolution.WRITE_OFF):
        with pytest.raises(FailedPreconditionError) as waits:
            await resolve(shop, admin, case["id"], resolution)
        assert waits.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    await check_books(shop)

    await bank_says(shop, refund_id, "fail")
    await send_due(shop)

    assert states(await refunds_of(shop, payment_id)) == ["failed"]
    assert states(await cases_of(shop, payment_id)) == ["resolved"]
    await check_books(shop)
    # The order still has all of its money to give back.
    assert (await refund(shop, admin, order.id, (1, 1))).value.amount == order.items_total
    await send_due(shop)
    await check_books(shop)


async def _mismatched(shop: Shop) -> tuple[str, int]:
    """A payment that is a case of the desk, and its amount."""
    buyer, checkout = await _checked_out(shop)
    async with faults(shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
        triple = await buyer.pay(checkout)
    await deliver(shop, triple)
    return triple["razorpay_payment_id"], checkout.total.amount_minor - 100


async def test_a_cases_money_sent_back_by_hand_ends_the_case(shop: Shop) -> None:
    payment_id, amount = await _mismatched(shop)
    await _told(shop, await by_hand(shop, payment_id, 300))
    assert (await _the_case(shop, payment_id))["state"] == "open"
    await check_books(shop)
    await _told(shop, await by_hand(shop, payment_id, amount - 300))
    case = await _the_case(shop, payment_id)
    assert (case["state"], case["resolution"], case["resolved_by"]) == ("resolved", "refund", "gateway")
    await check_books(shop)


async def test_the_desk_sends_back_what_a_hand_has_left_of_a_case(shop: Shop) -> None:
    payment_id, amount = await _mismatched(shop)
    await _told(shop, await by_hand(shop, payment_id, 300))
    await resolve(shop, await shop.admin(), (await _the_case(shop, payment_id))["id"], Resolution.REFUND)
    await send_due(shop)
    assert [row["amount_minor"] for row in await refunds_of(shop, payment_id)] == [300, amount - 300]
    await check_books(shop)


async def test_a_cases_money_on_its_way_back_by_hand_cannot_be_decided_and_stays_a_case_when_it_fails(
    shop: Shop,
) -> None:
    payment_id, _ = await _mismatched(shop)
    async with faults(shop, PENDING):
        refund_id = await by_hand(shop, payment_id)
    await _told(shop, refund_id, "refund.created")
    case = await _the_case(shop, payment_id)
    with pytest.raises(FailedPreconditionError) as waits:
        await resolve(shop, await shop.admin(), case["id"], Resolution.WRITE_OFF)
    assert waits.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    await bank_says(shop, refund_id, "fail")
    await send_due(shop)
    assert (await _the_case(shop, payment_id))["state"] == "open"
    await check_books(shop)


async def _other_order(shop: Shop, checkout: Checkout) -> str:
    """A gateway order that names our checkout, and that we never stored: ours was made twice, say."""
    body = {"amount": checkout.total.amount_minor, "currency": INR, "receipt": str(checkout.id)}
    made = await shop.http.post("/v1/orders", json=body, auth=(KEY_ID, KEY_SECRET))
    return str(made.raise_for_status().json()["id"])


@pytest.mark.parametrize("expired", [False, True])
async def test_money_under_another_order_of_our_checkout_is_a_case_that_the_desk_places(
    shop: Shop, expired: bool
) -> None:
    buyer, checkout = await _checked_out(shop)
    if expired:
        await run_out(shop, checkout.id)
    triple = await shop.pay(await _other_order(shop, checkout))
    await deliver(shop, triple)
    case = await _the_case(shop, triple["razorpay_payment_id"])
    assert (case["kind"], case["state"]) == ("gateway_order_unknown", "open")
    await check_books(shop)

    await resolve(shop, await shop.admin(), case["id"], Resolution.PLACE)

    assert (await buyer.checkout(checkout.id)).state is CheckoutState.PLACED
    assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 1
    await check_books(shop)
    # The checkout's first order at the gateway can still be paid: that money is a case again, not a second order.
    again = await buyer.pay(checkout)
    await deliver(shop, again)
    assert (await _the_case(shop, again["razorpay_payment_id"]))["state"] == "open"
    await check_books(shop)


async def test_a_case_that_a_hand_has_sent_part_of_cannot_be_placed(shop: Shop) -> None:
    _, checkout = await _checked_out(shop)
    triple = await shop.pay(await _other_order(shop, checkout))
    await deliver(shop, triple)
    payment_id = triple["razorpay_payment_id"]
    await _told(shop, await by_hand(shop, payment_id, 500))
    case, admin = await _the_case(shop, payment_id), await shop.admin()
    with pytest.raises(FailedPreconditionError) as refused:
        await resolve(shop, admin, case["id"], Resolution.PLACE)
    assert refused.value.reason is Reason.CHECKOUT_STATE_INVALID
    await resolve(shop, admin, case["id"], Resolution.REFUND)
    await send_due(shop)
    await check_books(shop)


async def test_the_books_notice_money_of_ours_that_is_taken_for_somebody_elses(shop: Shop) -> None:
    """What is foreign is read from the gateway's orders: what kapda made of them is what is being checked."""
    buyer, checkout = await _checked_out(shop)
    triple = await buyer.pay(checkout)
    await shop.sql(
        """INSERT INTO foreign_payments (gateway_payment_id, gateway_order_id, amount_minor, currency, seen_at)
           VALUES (:id, :order, :amount, 'INR', now())""",
        id=triple["razorpay_payment_id"],
        order=checkout.gateway_order_id,
        amount=checkout.total.amount_minor,
    )
    with pytest.raises(AssertionError):
        await check_books(shop)
    await shop.sql("DELETE FROM foreign_payments WHERE gateway_payment_id = :id", id=triple["razorpay_payment_id"])
    await buyer.place(checkout, triple)


async def test_a_foreign_payment_is_noted_and_its_refunds_are_none_of_ours(shop: Shop) -> None:
    body = {"amount": 5_000, "currency": INR, "receipt": "somebody-else"}
    made = await shop.http.post("/v1/orders", json=body, auth=(KEY_ID, KEY_SECRET))
    triple = await shop.pay(made.json()["id"])
    await _told(shop, await by_hand(shop, triple["razorpay_payment_id"]))
    await deliver(shop, triple)
    await poll(shop)
    assert await refunds_of(shop, triple["razorpay_payment_id"]) == []
    assert await cases_of(shop, triple["razorpay_payment_id"]) == []
    await check_books(shop)


async def test_r1_a_late_yes_with_free_stock_is_captured_and_placed(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    variant = await shop.variant(pieces=1)
    checkout = await buyer.checks_out_one(variant)
    payment_id = await _no_then_yes(shop, checkout)
    await settle(shop, checkout.id)
    assert (await buyer.checkout(checkout.id)).state is CheckoutState.PLACED
    (payment,) = [p for p in (await shop.books())["payments"] if p["id"] == payment_id]
    assert payment["captured"]
    assert await shop.level(variant) == (0, 0)
    await check_books(shop)


async def test_r1_a_late_yes_for_pieces_that_are_gone_is_not_captured_and_its_refund_not_booked(shop: Shop) -> None:
    late, quick = await new_buyer(shop), await new_buyer(shop)
    variant = await shop.variant(pieces=1)
    checkout = await late.checks_out_one(variant)
    await run_out(shop, checkout.id)
    await quick.buys(variant)
    async with faults(shop, {"kind": "auto_refund", "order_id": checkout.gateway_order_id}):
        payment_id = await _no_then_yes(shop, checkout, expire=False)
        await poll(shop, checkout.id)
    (returned,) = [r for r in (await shop.books())["refunds"] if r["payment_id"] == payment_id]
    await _told(shop, returned["id"], "refund.created")
    await poll(shop, checkout.id)
    assert await refunds_of(shop, payment_id) == []
    assert await cases_of(shop, payment_id) == []
    assert await shop.count("payments WHERE gateway_payment_id = :id", id=payment_id) == 0
    # Whoever paid is told, once, whichever door hears of it first.
    await poll(shop, checkout.id)
    mails = await shop.sql("SELECT kind, user_id FROM mails WHERE subject_id = :id", id=checkout.id)
    assert [(row["kind"], row["user_id"]) for row in mails] == [("payment_given_back", late.id)]
    await check_books(shop)


async def _no_then_yes(shop: Shop, checkout: Checkout, *, expire: bool = True) -> str:
    """The bank says no, the hold runs out, and then the bank says yes after all; nobody has captured yet."""
    body = {"order_id": checkout.gateway_order_id, "outcome": "failure"}
    failed = await shop.http.post("/emulator/pay", json=body)
    payment_id = str(failed.json()["error"]["metadata"]["payment_id"])
    if expire:
        await run_out(shop, checkout.id)
    (await shop.http.post(f"/emulator/payments/{payment_id}/authorize", json={"capture": False})).raise_for_status()
    return payment_id


async def test_part_of_an_order_goes_back_with_each_partys_share_and_the_rest_when_it_is_called_off(shop: Shop) -> None:
    buyer, admin = await new_buyer(shop), await shop.admin()
    variant = await shop.variant(pieces=5, rupees=333)
    order = await buyer.buys(variant, 3)
    first = (await refund(shop, admin, order.id, (1, 1))).value
    await send_due(shop)
    assert first.amount == Money(33_300, INR)
    assert await shop.level(variant) == (2, 0)
    await refund(shop, admin, order.id, (1, 1), restock=True)
    assert await shop.level(variant) == (3, 0)
    await cancel(shop, customer(buyer.id), order.id)
    await send_due(shop)
    assert await shop.level(variant) == (4, 0)
    kinds = [row["kind"] for row in await refunds_of(shop, await payment_of(shop, order))]
    assert kinds == ["order_lines", "order_lines", "order_cancelled"]
    (owed,) = await shop.sql(
        """SELECT coalesce(sum(e.amount_minor), 0) AS minor FROM ledger_entries e
           JOIN ledger_transactions t ON t.id = e.transaction_id
           WHERE t.reference_id = :id OR t.reference_id IN (SELECT id FROM refunds WHERE order_id = :id)""",
        id=order.id,
    )
    assert owed["minor"] == 0
    await check_books(shop)
