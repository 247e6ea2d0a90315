"""Customers, banks and operators that do what nobody expects."""

from collections import Counter
from typing import Any

import pytest

from tests.emulator.conftest import WEBHOOK_SECRET, Emulator, Json, Start

WINDOW: dict[str, Any] = {"payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 12}}}


async def payments_of(emulator: Emulator, order: Json) -> list[Json]:
    found: list[Json] = (await emulator.call("GET", f"/v1/orders/{order['id']}/payments"))["items"]
    return found


async def events(emulator: Emulator) -> list[str]:
    return [delivery["event"] for delivery in await emulator.settled()]


@pytest.fixture
async def posting(start: Start, closed_port: int) -> Emulator:
    """An emulator whose webhooks are made and find nobody."""
    made: Emulator = await start(webhook_url=f"http://127.0.0.1:{closed_port}/hook", webhook_secret=WEBHOOK_SECRET)
    return made


@pytest.mark.parametrize(
    ("how", "wait", "status"),
    [
        ({"after_seconds": 600}, 600, "captured"),
        ({"after_seconds": 900}, 900, "authorized"),
        ({"after_seconds": 600, "capture": False}, 600, "authorized"),
    ],
)
async def test_a_payment_that_failed_is_authorised_late(posting: Emulator, how: Json, wait: int, status: str) -> None:
    order = await posting.order(**WINDOW)
    await posting.arm({"kind": "late_authorization", "order_id": order["id"], "times": 1, **how})
    answer = await posting.pay(order)
    assert answer["error"]["reason"] == "payment_failed"
    await posting.advance(wait - 1)
    (failed,) = await payments_of(posting, order)
    assert (failed["status"], failed["error_reason"]) == ("failed", "payment_failed")
    await posting.advance(1)
    (payment,) = await payments_of(posting, order)
    assert (payment["id"], payment["status"]) == (answer["error"]["metadata"]["payment_id"], status)
    assert (await events(posting))[:2] == ["payment.failed", "payment.authorized"]


async def test_a_late_yes_for_an_order_paid_meanwhile_goes_back(posting: Emulator) -> None:
    order = await posting.order()
    await posting.arm({"kind": "late_authorization", "times": 1})
    await posting.pay(order)
    await posting.pay(order)
    await posting.advance(900)
    late, paid = await payments_of(posting, order)
    assert [(p["status"], p["captured"]) for p in (late, paid)] == [("refunded", False), ("captured", True)]


@pytest.mark.parametrize(("how", "status"), [({}, "captured"), ({"capture": False}, "authorized")])
async def test_a_paid_order_takes_a_second_payment(posting: Emulator, how: Json, status: str) -> None:
    order = await posting.order()
    await posting.arm({"kind": "second_payment", "times": 1, **how})
    await posting.pay(order)
    await posting.pay(order)
    assert [payment["status"] for payment in await payments_of(posting, order)] == ["captured", status]
    paid = await posting.call("GET", f"/v1/orders/{order['id']}")
    assert (paid["status"], paid["amount_paid"], paid["attempts"]) == ("paid", 50_000, 1)
    counted = Counter(await events(posting))
    assert (counted["payment.captured"], counted["order.paid"]) == (1 + (status == "captured"), 1)
    assert (await posting.refused("POST", "/emulator/pay", {"order_id": order["id"]}))[0] == 400
    totals = (await posting.call("GET", "/emulator/books"))["totals"]
    assert totals["captured"] + totals["authorized"] == 100_000


async def test_the_late_yes_can_be_the_second_payment(emulator: Emulator) -> None:
    order = await emulator.order()
    await emulator.arm({"kind": "late_authorization", "times": 1}, {"kind": "second_payment", "times": 1})
    await emulator.pay(order)
    await emulator.pay(order)
    await emulator.advance(900)
    assert [payment["status"] for payment in await payments_of(emulator, order)] == ["captured", "captured"]


async def test_an_order_with_held_money_takes_a_second_payment(emulator: Emulator) -> None:
    order = await emulator.order()
    await emulator.arm({"kind": "second_payment"})
    await emulator.pay(order, outcome="authorize_only")
    await emulator.pay(order)
    assert [payment["status"] for payment in await payments_of(emulator, order)] == ["authorized", "captured"]
    assert (await emulator.call("GET", f"/v1/orders/{order['id']}"))["status"] == "paid"


async def test_a_customer_pays_another_amount(emulator: Emulator) -> None:
    for by, paid in ((-100, 49_900), (1, 50_001), (-90_000, 1)):
        await emulator.arm({"kind": "paid_amount", "by": by})
        order = await emulator.order()
        triple = await emulator.pay(order)
        payment = await emulator.call("GET", f"/v1/payments/{triple['razorpay_payment_id']}")
        assert (payment["amount"], payment["status"]) == (paid, "captured")
        assert (await emulator.call("GET", f"/v1/orders/{order['id']}"))["amount_paid"] == paid


@pytest.mark.parametrize("wait", [0, 30])
async def test_held_money_goes_back_sooner(posting: Emulator, wait: int) -> None:
    await posting.arm({"kind": "auto_refund", "after_seconds": wait, "times": 1})
    order = await posting.order()
    await posting.pay(order, outcome="authorize_only")
    await posting.advance(wait)
    (payment,) = await payments_of(posting, order)
    assert (payment["status"], payment["captured"]) == ("refunded", False)
    assert await events(posting) == ["payment.authorized", "refund.created", "refund.processed"]
    assert (await posting.call("GET", "/emulator/books"))["totals"]["returned_uncaptured"] == 50_000


async def test_money_captured_in_time_does_not_go_back(emulator: Emulator) -> None:
    await emulator.arm({"kind": "auto_refund", "after_seconds": 30})
    payment_id = (await emulator.pay(await emulator.order(), outcome="authorize_only"))["razorpay_payment_id"]
    await emulator.call("POST", f"/v1/payments/{payment_id}/capture", {"amount": 50_000, "currency": "INR"})
    await emulator.advance(60)
    assert (await emulator.call("GET", f"/v1/payments/{payment_id}"))["status"] == "captured"


@pytest.mark.parametrize(("ending", "refunded"), [("processed", 500), ("failed", 0)])
async def test_a_refund_is_pending_and_then_ends(posting: Emulator, ending: str, refunded: int) -> None:
    payment = await posting.captured()
    await posting.arm({"kind": "refund_pending", "then": ending, "after_seconds": 60, "times": 1})
    refund = await posting.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
    assert refund["status"] == "pending"
    await posting.advance(59)
    assert (await posting.call("GET", f"/v1/refunds/{refund['id']}"))["status"] == "pending"
    await posting.advance(1)
    assert (await posting.call("GET", f"/v1/refunds/{refund['id']}"))["status"] == ending
    assert (await posting.call("GET", f"/v1/payments/{payment['id']}"))["amount_refunded"] == refunded
    assert (await events(posting))[-2:] == ["refund.created", f"refund.{ending}"]
    assert (await posting.call("POST", f"/v1/payments/{payment['id']}/refund", {}))["status"] == "processed"


async def test_a_pending_refund_may_be_left_to_the_controls(emulator: Emulator) -> None:
    payment = await emulator.captured()
    await emulator.arm({"kind": "refund_pending", "then": None, "after_seconds": 5})
    refund = await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
    await emulator.advance(60)
    assert (await emulator.call("POST", f"/emulator/refunds/{refund['id']}/fail"))["status"] == "failed"


async def test_a_refund_ended_by_hand_is_not_ended_again(emulator: Emulator) -> None:
    payment = await emulator.captured()
    await emulator.arm({"kind": "refund_pending", "then": "failed", "after_seconds": 5})
    refund = await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
    await emulator.call("POST", f"/emulator/refunds/{refund['id']}/process")
    await emulator.advance(60)
    assert (await emulator.call("GET", f"/v1/refunds/{refund['id']}"))["status"] == "processed"


async def test_an_operator_refunds_in_the_dashboard(posting: Emulator) -> None:
    payment = await posting.captured()
    path = f"/emulator/payments/{payment['id']}/refund"
    part = await posting.call("POST", path, {"amount": 500, "notes": {"by": "operator"}})
    assert (part["status"], part["amount"], part["notes"]) == ("processed", 500, {"by": "operator"})
    assert (await posting.call("POST", path))["amount"] == 49_500
    assert (await posting.refused("POST", path))[0] == 400
    assert Counter(await events(posting))["refund.processed"] == 2
    listed = await posting.call("GET", f"/v1/payments/{payment['id']}/refunds")
    assert [refund["amount"] for refund in listed["items"]] == [49_500, 500]
