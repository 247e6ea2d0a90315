"""F7, F19 and the gateway's silence: nobody else waits, and every step that failed once can be taken again."""

import asyncio
import time

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.payments.gateway import GatewayRefusedError, GatewayUnknownError
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from tests.fakes.samples import rupees
from tests.shop.buyer import new_buyer, new_buyers, settle
from tests.shop.desk import check_books, faults
from tests.shop.meddling import failing, meddling
from tests.shop.shop import Shop, new_request
from tests.shop.wire import eventually

SILENCE = GatewayUnknownError("silence")
NO = GatewayRefusedError(400, "BAD_REQUEST_ERROR", "no", reason=None, field=None)


def alone(shop: Shop) -> Shop:
    """The first process by itself, where the gateway is meddled with."""
    return Shop(shop.containers[:1], shop.http, shop.catalogue)


async def test_f7_a_buyer_waiting_for_the_gateway_keeps_no_other_buyer_of_the_variant_waiting(shop: Shop) -> None:
    one = alone(shop)
    variant = await one.variant(pieces=100)
    patient, *others = [await new_buyer(one) for _ in range(9)]
    for buyer in (patient, *others):
        await buyer.add(variant)
    answered = asyncio.Event()

    async with meddling(one.container) as gateway:
        # As many as the pool for stock has connections, all of them waiting.
        gateway.before["create_order"] = [answered.wait] * 5
        waiting = [asyncio.create_task(buyer.start(rupees(1_000))) for buyer in (patient, *others[:4])]
        await gateway.has_been_called(5)
        began = time.monotonic()
        for buyer in others[4:]:
            await buyer.start(rupees(1_000))
            checkout = await buyer.check_out()
            await buyer.place(checkout, await buyer.pay(checkout))
        seconds = (time.monotonic() - began) / len(others[4:])
        answered.set()
        await asyncio.gather(*waiting)

    assert seconds < 1.0
    await shop.check_promises()


@pytest.mark.parametrize(
    ("silent_calls", "served"), [(16, True), (40, False)], ids=["some", "more than there are threads"]
)
async def test_f7_a_gateway_that_sleeps_over_http_keeps_no_other_buyer_waiting(
    shop: Shop, silent_calls: int, served: bool
) -> None:
    one = alone(shop)
    variant = await one.variant(pieces=200)
    paid, next_one, *sleepers = await new_buyers(one, 2 + silent_calls)
    checkout = await paid.checks_out_one(variant)
    triple = await paid.pay(checkout)
    for buyer in (next_one, *sleepers):
        await buyer.add(variant)
    async with faults(
        one, {"kind": "timeout_before", "operation": "create_order", "seconds": 4, "times": silent_calls}
    ):
        asleep = [asyncio.create_task(buyer.start(rupees(1_000))) for buyer in sleepers]
        await eventually(lambda: _struck(one, min(silent_calls, 32)))

        began = time.monotonic()
        await paid.place(checkout, triple)
        placed = time.monotonic() - began

        began = time.monotonic()
        if served:
            await next_one.place(answer := await next_one.check_out(), await next_one.pay(answer))
        else:
            with pytest.raises(GatewayUnknownError):
                await next_one.start(rupees(1_000))
        answered = time.monotonic() - began
        ended = await asyncio.gather(*asleep, return_exceptions=True)

    assert placed < 1.0
    assert answered < (1.0 if served else 3.0)
    assert all(isinstance(end, GatewayUnknownError) for end in ended[: len(asleep) // 2])
    await check_books(shop)


async def _struck(shop: Shop, times: int) -> bool:
    (fault,) = (await shop.http.get("/emulator/faults")).json()["items"]
    return int(fault["used"]) >= times


@pytest.mark.parametrize("acted", [False, True], ids=["before it acted", "after it acted"])
async def test_f19_a_silent_gateway_at_the_start_costs_one_retry_and_leaves_one_order_there(
    shop: Shop, acted: bool
) -> None:
    one = alone(shop)
    buyer, request = await new_buyer(one), new_request()
    await buyer.add(await one.variant())
    async with meddling(one.container) as gateway:
        (gateway.after if acted else gateway.before)["create_order"] = [failing(SILENCE)]
        gateway.before["find_order"] = [failing(SILENCE)]
        with pytest.raises(GatewayUnknownError):
            await buyer.start(rupees(1_000), request)

        began = time.monotonic()
        checkout = (await buyer.start(rupees(1_000), request)).value

    assert time.monotonic() - began < 1.0
    assert checkout.state is CheckoutState.OPEN
    receipts = [order["id"] for order in (await one.books())["orders"] if order["receipt"] == str(checkout.id)]
    assert receipts == [checkout.gateway_order_id]
    await buyer.place(checkout, await buyer.pay(checkout))
    await shop.check_promises()


async def test_f19_a_gateway_that_refuses_gives_the_stock_back_and_a_new_request_succeeds(shop: Shop) -> None:
    one = alone(shop)
    buyer, request = await new_buyer(one), new_request()
    variant = await one.variant(pieces=1)
    await buyer.add(variant)
    async with meddling(one.container) as gateway:
        gateway.before["create_order"] = [failing(NO)]
        for _ in range(2):
            with pytest.raises(FailedPreconditionError) as refused:
                await buyer.start(rupees(1_000), request)
            assert refused.value.reason is Reason.CHECKOUT_REFUSED_BY_GATEWAY
    assert await shop.level(variant) == (1, 0)

    checkout = await buyer.check_out()
    await buyer.place(checkout, await buyer.pay(checkout))
    await shop.check_promises()


@pytest.mark.parametrize(
    ("step", "outcome"),
    [("fetch_payment", "success"), ("capture", "authorize_only"), ("capture after", "authorize_only")],
)
async def test_f19_a_silent_gateway_at_the_end_costs_one_retry(shop: Shop, step: str, outcome: str) -> None:
    one = alone(shop)
    buyer, request = await new_buyer(one), new_request()
    checkout = await buyer.checks_out_one(await one.variant())
    triple = await buyer.pay(checkout, outcome=outcome)
    name, _, after = step.partition(" ")
    async with meddling(one.container) as gateway:
        (gateway.after if after else gateway.before)[name] = [failing(SILENCE)]
        with pytest.raises(GatewayUnknownError):
            await buyer.place(checkout, triple, request)

        order = (await buyer.place(checkout, triple, request)).value

    assert (await buyer.place(checkout, triple, request)).value == order
    await shop.check_promises()


async def test_a_refused_capture_gives_the_checkout_back_to_its_customer(shop: Shop) -> None:
    one = alone(shop)
    buyer = await new_buyer(one)
    checkout = await buyer.checks_out_one(await one.variant())
    triple = await buyer.pay(checkout, outcome="authorize_only")
    async with meddling(one.container) as gateway:
        gateway.before["capture"] = [failing(NO)]
        with pytest.raises(FailedPreconditionError) as refused:
            await buyer.place(checkout, triple)
        assert refused.value.reason is Reason.PAYMENT_NOT_CAPTURED
        assert (await buyer.checkout(checkout.id)).state is CheckoutState.OPEN

        await buyer.place(checkout, triple)
    await shop.check_promises()


async def _run_out(shop: Shop, checkout: Checkout) -> None:
    await shop.sql(
        """UPDATE checkouts SET created_at = created_at - interval '1 hour', pay_before = pay_before - interval '1 hour',
           hold_until = hold_until - interval '1 hour' WHERE id = :id""",
        id=checkout.id,
    )


async def test_a_poller_that_looked_before_the_bank_said_yes_takes_no_stock_from_a_capture_on_its_way(
    shop: Shop,
) -> None:
    """Pinned is pinned: expiry keeps off while somebody captures, however early the poller's own question was."""
    browser, poller = Shop(shop.containers[:1], shop.http, shop.catalogue), Shop(shop.containers[1:2], shop.http)
    buyer = await new_buyer(browser)
    variant = await browser.variant(pieces=1)
    checkout = await buyer.checks_out_one(variant)
    gateway_order = checkout.gateway_order_id or ""
    late = await shop.http.post("/emulator/pay", json={"order_id": gateway_order, "outcome": "late"})
    payment_id = late.json()["error"]["metadata"]["payment_id"]
    await _run_out(shop, checkout)
    asked, pinned, expired = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def poller_has_its_answer() -> None:
        asked.set()
        await pinned.wait()

    async def capture_is_on_its_way() -> None:
        pinned.set()
        await expired.wait()

    async with meddling(poller.container) as its_line, meddling(browser.container) as our_line:
        its_line.after["payments_of_order"] = [poller_has_its_answer]
        our_line.before["capture"] = [capture_is_on_its_way]
        polling = asyncio.create_task(settle(poller, checkout.id))
        await asked.wait()
        yes = await shop.http.post(f"/emulator/payments/{payment_id}/authorize", json={"capture": False})
        placing = asyncio.create_task(buyer.place(checkout, yes.json()))
        await polling
        held_meanwhile = await shop.level(variant)
        expired.set()
        await placing

    assert held_meanwhile == (1, 1)
    await shop.check_promises()


async def test_f15_the_claim_and_the_hold_are_there_for_everybody_to_see_before_the_gateway_is_called(
    shop: Shop,
) -> None:
    one = alone(shop)
    buyer, request = await new_buyer(one), new_request()
    variant = await one.variant()
    await buyer.add(variant)
    seen: list[tuple[int, int, tuple[int, int]]] = []

    async def look_from_elsewhere() -> None:
        claims = await shop.count("request_log WHERE request_id = :id AND answer IS NULL", id=request)
        opening = await shop.count("checkouts WHERE customer_id = :id AND state = 'opening'", id=buyer.id)
        seen.append((claims, opening, await shop.level(variant)))

    async with meddling(one.container) as gateway:
        gateway.before["create_order"] = [look_from_elsewhere]
        await buyer.start(rupees(1_000), request)

    assert seen == [(1, 1, (10, 1))]


async def test_f15_nothing_waits_at_the_gateway_with_a_transaction_open(shop: Shop) -> None:
    one = alone(shop)
    buyer = await new_buyer(one)
    await buyer.add(await one.variant())
    open_ones: list[int] = []

    async def count_open_transactions() -> None:
        among = """pg_stat_activity WHERE datname = current_database() AND application_name = 'kapda'
            AND state LIKE 'idle in transaction%'"""
        open_ones.append(await shop.count(among))

    async with meddling(one.container) as gateway:
        for name in ("create_order", "fetch_payment", "capture", "payments_of_order"):
            gateway.before[name] = [count_open_transactions] * 2
        checkout = await buyer.check_out()
        await settle(one, checkout.id)
        await buyer.place(checkout, await buyer.pay(checkout, outcome="authorize_only"))

    assert open_ones == [0] * 4
