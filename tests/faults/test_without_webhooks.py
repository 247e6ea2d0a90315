"""Webhooks that never come, or come in any order and twice: the same ending, found by asking."""

import asyncio
import itertools
from typing import Any

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.shared.money import INR
from tests.shop.buyer import Buyer, new_buyer, new_buyers
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
    refunds_of,
    run_out,
    send_due,
    states,
)
from tests.shop.shop import KEY_ID, KEY_SECRET, Shop

# So many payments are read in one stretch of the account's list (adapters/razorpay/listing.py).
MORE_THAN_ONE_LOOK = 2_100


async def test_f21_r5_with_webhooks_off_and_no_browser_back_the_pollers_finish_everything(shop: Shop) -> None:
    captured, held, unpaid, superseding, twice = await new_buyers(shop, 5)
    checkouts = [await buyer.checks_out_one(await shop.variant()) for buyer in (captured, held, unpaid, twice)]
    await captured.pay(checkouts[0])
    await held.pay(checkouts[1], outcome="authorize_only")
    await run_out(shop, checkouts[2].id)
    await twice.pay(checkouts[3])
    async with faults(shop, {"kind": "second_payment", "order_id": checkouts[3].gateway_order_id, "times": 1}):
        await twice.pay(checkouts[3])
    old = await superseding.checks_out_one(await shop.variant())
    await superseding.pay(old)
    await superseding.add(await shop.variant())
    new = await superseding.check_out()
    await superseding.pay(new)

    await poll(shop, *(checkout.id for checkout in (*checkouts, old, new)))

    found = [
        (await buyer.checkout(checkout.id)).state
        for buyer, checkout in [
            *zip((captured, held, unpaid, twice), checkouts, strict=True),
            (superseding, old),
            (superseding, new),
        ]
    ]
    placed = CheckoutState.PLACED
    assert found == [placed, placed, CheckoutState.EXPIRED, placed, CheckoutState.SUPERSEDED, placed]
    sums = await check_books(shop)
    assert sums.refunds == twice_amount(checkouts[3].total.amount_minor) + old.total.amount_minor
    assert sums.in_cases == 0


def twice_amount(paid: int) -> int:
    """What of two payments goes back: one of them."""
    return 2 * paid - paid


async def test_with_webhooks_off_the_sweep_finds_money_under_an_order_nobody_stored(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    body = {"amount": checkout.total.amount_minor, "currency": INR, "receipt": str(checkout.id)}
    made = await shop.http.post("/v1/orders", json=body, auth=(KEY_ID, KEY_SECRET))
    triple = await shop.pay(made.json()["id"])
    for _ in range(2):
        await poll(shop, checkout.id)
    (case,) = await cases_of(shop, triple["razorpay_payment_id"])
    assert (case["kind"], case["state"]) == ("gateway_order_unknown", "open")
    await check_books(shop)


async def test_money_under_an_order_nobody_stored_is_found_behind_two_thousand_other_payments(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    body = {"amount": checkout.total.amount_minor, "currency": INR, "receipt": str(checkout.id)}
    made = await shop.http.post("/v1/orders", json=body, auth=(KEY_ID, KEY_SECRET))
    triple = await shop.pay(made.json()["id"])
    foreign = await shop.http.post("/v1/orders", json={"amount": 500, "currency": INR}, auth=(KEY_ID, KEY_SECRET))
    for _ in range(MORE_THAN_ONE_LOOK // 16 + 1):
        await asyncio.gather(*(shop.pay(foreign.json()["id"], outcome="failure") for _ in range(16)))

    await poll(shop, checkout.id)

    (case,) = await cases_of(shop, triple["razorpay_payment_id"])
    assert (case["kind"], case["state"]) == ("gateway_order_unknown", "open")
    await check_books(shop)


async def test_with_webhooks_off_a_refund_made_by_hand_is_found_by_the_poller(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant())
    payment_id = await payment_of(shop, order)
    refund_id = await by_hand(shop, payment_id)
    for _ in range(2):
        await poll(shop, order.checkout_id)
    (ours,) = await refunds_of(shop, payment_id)
    assert (ours["gateway_refund_id"], ours["state"]) == (refund_id, "processed")
    assert [case["kind"] for case in await cases_of(shop, payment_id)] == ["dashboard_refund"]
    await check_books(shop)


async def test_with_webhooks_off_a_cancelled_orders_refund_is_followed_to_its_end(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant())
    await cancel(shop, customer(buyer.id), order.id)
    async with faults(shop, {"kind": "refund_pending", "then": None, "times": 1}):
        await poll(shop, order.checkout_id)
    (ours,) = await refunds_of(shop, await payment_of(shop, order))
    assert ours["state"] == "pending"
    await bank_says(shop, ours["gateway_refund_id"], "process")
    await poll(shop, order.checkout_id)
    assert states(await refunds_of(shop, await payment_of(shop, order))) == ["processed"]
    await check_books(shop)


async def test_one_payment_that_cannot_be_finished_does_not_hide_the_others_from_the_sweep(shop: Shop) -> None:
    poisoned, fine = await new_buyers(shop, 2)
    first = await poisoned.checks_out_one(await shop.variant())
    second = await fine.checks_out_one(await shop.variant())
    await fine.pay(second)
    bad = await poisoned.pay(first)
    unreadable = {"kind": "html", "operation": "get_payment", "path": f"/v1/payments/{bad['razorpay_payment_id']}"}
    async with faults(shop, unreadable):
        with pytest.raises(Exception, match="did not answer"):
            await shop.container.sweep_recent_payments().execute()
        assert (await fine.checkout(second.id)).state is CheckoutState.PLACED
    await poll(shop)
    assert (await poisoned.checkout(first.id)).state is CheckoutState.PLACED
    await check_books(shop)


async def test_r10_an_order_whose_making_was_not_answered_is_found_by_its_receipt(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    await buyer.add(await shop.variant())
    async with faults(shop, {"kind": "timeout_after", "operation": "create_order", "times": 1}):
        checkout = await buyer.check_out()
    made = [order for order in (await shop.books())["orders"] if order["receipt"] == str(checkout.id)]
    assert [order["id"] for order in made] == [checkout.gateway_order_id]
    await buyer.place(checkout, await buyer.pay(checkout))
    await check_books(shop)


class Story:
    """A payment that failed, was authorised late, captured, and refunded by hand; and everything told of it."""

    def __init__(self, shop: Shop, buyer: Buyer, payment_id: str, events: list[tuple[str, dict[str, Any]]]) -> None:
        self.shop = shop
        self.buyer = buyer
        self.payment_id = payment_id
        self.events = events

    async def end(self) -> tuple[object, ...]:
        """What it has all come to, without ids and times."""
        payments = await self.shop.sql(
            """SELECT p.state, p.refund_reserved_minor, p.refunded_minor, c.state AS checkout FROM payments p
               JOIN checkouts c ON c.id = p.checkout_id WHERE p.gateway_payment_id = :id""",
            id=self.payment_id,
        )
        refunds = await refunds_of(self.shop, self.payment_id)
        cases = [(case["kind"], case["state"]) for case in await cases_of(self.shop, self.payment_id)]
        return tuple(map(str, payments)), tuple(states(refunds)), tuple(cases)


async def _story(shop: Shop, *, refund: int | None) -> Story:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    failed = await shop.http.post("/emulator/pay", json={"order_id": checkout.gateway_order_id, "outcome": "failure"})
    payment_id = failed.json()["error"]["metadata"]["payment_id"]
    (await shop.http.post(f"/emulator/payments/{payment_id}/authorize")).raise_for_status()
    payment = {"id": payment_id, "order_id": checkout.gateway_order_id}
    await by_hand(shop, payment_id, refund)
    (told,) = [r for r in (await shop.books())["refunds"] if r["payment_id"] == payment_id]
    events: list[tuple[str, dict[str, Any]]] = [
        (f"payment.{state}", {"payment": payment | {"status": state}}) for state in ("failed", "authorized", "captured")
    ]
    events += [
        ("refund.created", {"refund": told | {"status": "pending"}, "payment": payment}),
        ("refund.processed", {"refund": told, "payment": payment}),
    ]
    return Story(shop, buyer, payment_id, events)


@pytest.mark.parametrize(
    ("refund", "unheard"), [(None, "refund.created"), (40_000, "payment.authorized")], ids=["whole", "part"]
)
async def test_f32_webhooks_in_every_order_and_twice_end_the_same(shop: Shop, refund: int | None, unheard: str) -> None:
    """All that happened has happened when the first of them is worked on, as after an outage of ours."""
    endings = set()
    for order in itertools.permutations(range(4)):
        story = await _story(shop, refund=refund)
        heard = [event for event in story.events if event[0] != unheard]
        for index in (*order, order[0], order[2]):
            name, entities = heard[index]
            await hear(shop, name, **entities)
        endings.add(await story.end())
    assert len(endings) == 1, endings
    ((_, refunds, cases),) = endings
    assert refunds == ("processed",)
    assert cases == (("refunded_at_gateway", "resolved" if refund is None else "open"),)
    await send_due(shop)
    await check_books(shop)


async def test_f32_webhooks_as_they_happen_never_downgrade_what_has_ended(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    order = (await buyer.place(checkout, await buyer.pay(checkout))).value
    payment_id = await payment_of(shop, order)
    await cancel(shop, customer(buyer.id), order.id)
    await send_due(shop)
    payment = {"id": payment_id, "order_id": checkout.gateway_order_id}
    (told,) = [r for r in (await shop.books())["refunds"] if r["payment_id"] == payment_id]
    for status in ("pending", "failed"):
        await hear(shop, "refund.created", refund=told | {"status": status}, payment=payment)
    for event in ("payment.failed", "payment.authorized", "payment.captured", "order.paid"):
        await hear(shop, event, payment=payment | {"status": event.rpartition(".")[2]})
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    (row,) = await shop.sql("SELECT state FROM orders WHERE id = :id", id=order.id)
    assert row["state"] == "cancelled"
    await check_books(shop)
