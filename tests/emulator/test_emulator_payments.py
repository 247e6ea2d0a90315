"""The customer, the capture window and the books."""

import hashlib
import hmac
from typing import Any

import pytest

from tests.emulator.conftest import KEY_SECRET, Emulator, Start

WINDOW: dict[str, Any] = {
    "payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 12, "refund_speed": "normal"}}
}


async def test_a_payment_is_captured_at_once_and_its_triple_is_signed(emulator: Emulator) -> None:
    order = await emulator.order(receipt="r")
    triple = await emulator.pay(order, vpa="asha@exampleupi")
    assert set(triple) == {"razorpay_payment_id", "razorpay_order_id", "razorpay_signature"}
    message = f"{order['id']}|{triple['razorpay_payment_id']}".encode()
    expected = hmac.new(KEY_SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert triple["razorpay_signature"] == expected
    payment = await emulator.call("GET", f"/v1/payments/{triple['razorpay_payment_id']}")
    assert payment["status"] == "captured"
    assert payment["captured"] is True
    assert (payment["amount"], payment["currency"], payment["order_id"]) == (50_000, "INR", order["id"])
    assert (payment["fee"], payment["tax"]) == (1180, 180)
    assert (payment["method"], payment["vpa"], payment["upi"]["vpa"]) == ("upi", "asha@exampleupi", "asha@exampleupi")
    paid = await emulator.call("GET", f"/v1/orders/{order['id']}")
    assert (paid["status"], paid["amount_paid"], paid["amount_due"], paid["attempts"]) == ("paid", 50_000, 0, 1)


async def test_a_card_is_shown_only_when_expanded(emulator: Emulator) -> None:
    triple = await emulator.pay(await emulator.order(), method="card")
    path = f"/v1/payments/{triple['razorpay_payment_id']}"
    plain = await emulator.call("GET", path)
    assert "card" not in plain
    expanded = await emulator.call("GET", path, params={"expand[]": "card"})
    assert expanded["card"]["id"] == plain["card_id"]


async def test_a_refused_payment_leaves_the_order_open_for_another(emulator: Emulator) -> None:
    order = await emulator.order()
    answer = await emulator.pay(order, method="netbanking", outcome="failure")
    assert answer["error"]["reason"] == "payment_failed"
    assert (await emulator.call("GET", f"/v1/orders/{order['id']}"))["status"] == "attempted"
    await emulator.pay(order)
    tries = await emulator.call("GET", f"/v1/orders/{order['id']}/payments")
    assert [payment["status"] for payment in tries["items"]] == ["failed", "captured"]
    assert tries["items"][0]["id"] == answer["error"]["metadata"]["payment_id"]
    assert tries["items"][0]["error_reason"] == "payment_failed"
    assert tries["items"][0]["fee"] is None
    assert (await emulator.call("GET", f"/v1/orders/{order['id']}"))["attempts"] == 2


async def test_the_failing_test_address_fails(emulator: Emulator) -> None:
    assert "error" in await emulator.pay(await emulator.order(), vpa="failure@razorpay")


async def test_a_second_payment_is_refused_on_a_paid_or_authorised_order(emulator: Emulator) -> None:
    for outcome in ("success", "authorize_only"):
        order = await emulator.order()
        await emulator.pay(order, outcome=outcome)
        status, error = await emulator.refused("POST", "/emulator/pay", {"order_id": order["id"]})
        assert (status, error["reason"]) == (400, "order_already_paid")


async def test_an_authorised_payment_is_captured_once_for_its_exact_amount(emulator: Emulator) -> None:
    order = await emulator.order()
    triple = await emulator.pay(order, outcome="authorize_only")
    path = f"/v1/payments/{triple['razorpay_payment_id']}/capture"
    for body, description in (
        ({"amount": 49_999, "currency": "INR"}, "Capture amount must be equal to the amount authorized."),
        ({"amount": 50_000.5, "currency": "INR"}, "The amount must be an integer."),
        ({"amount": 50_000}, "currency: is required."),
    ):
        status, error = await emulator.refused("POST", path, body)
        assert (status, error["description"]) == (400, description)
    payment = await emulator.call("POST", path, {"amount": 50_000, "currency": "INR"})
    assert (payment["status"], payment["fee"]) == ("captured", 1180)
    status, error = await emulator.refused("POST", path, {"amount": 50_000, "currency": "INR"})
    assert (status, error["description"]) == (400, "This payment has already been captured")


async def test_a_failed_payment_cannot_be_captured(emulator: Emulator) -> None:
    answer = await emulator.pay(await emulator.order(), outcome="failure")
    path = f"/v1/payments/{answer['error']['metadata']['payment_id']}/capture"
    assert (await emulator.refused("POST", path, {"amount": 50_000, "currency": "INR"}))[0] == 400


@pytest.mark.parametrize("outcome", ["late", "failure"])
@pytest.mark.parametrize(("seconds", "status"), [(720, "captured"), (721, "authorized")])
async def test_a_late_yes_is_captured_only_inside_the_window(
    emulator: Emulator, outcome: str, seconds: int, status: str
) -> None:
    order = await emulator.order(**WINDOW)
    answer = await emulator.pay(order, outcome=outcome)
    payment_id = answer["error"]["metadata"]["payment_id"]
    before = (await emulator.call("GET", f"/v1/payments/{payment_id}"))["status"]
    assert before == ("created" if outcome == "late" else "failed")
    emulator.clock.time += seconds
    answered = await emulator.call("POST", f"/emulator/payments/{payment_id}/authorize")
    assert answered["payment"]["status"] == status
    assert answered["razorpay_order_id"] == order["id"]
    assert answered["payment"]["error_code"] is None


async def test_a_payment_can_be_dated_back_behind_its_window(emulator: Emulator) -> None:
    triple = await emulator.pay(await emulator.order(**WINDOW), started_seconds_ago=721)
    assert (await emulator.call("GET", f"/v1/payments/{triple['razorpay_payment_id']}"))["status"] == "authorized"


async def test_a_payment_that_is_pending_can_fail(emulator: Emulator) -> None:
    answer = await emulator.pay(await emulator.order(), outcome="late")
    payment_id = answer["error"]["metadata"]["payment_id"]
    assert (await emulator.call("POST", f"/emulator/payments/{payment_id}/fail"))["payment"]["status"] == "failed"
    assert (await emulator.refused("POST", f"/emulator/payments/{payment_id}/fail"))[0] == 400


async def test_manual_capture_leaves_the_payment_authorised(start: Start) -> None:
    manual = {"payment": {"capture": "manual", "capture_options": {"manual_expiry_period": 7200}}}
    account = await start(auto_capture=False)
    asked = await start()
    for emulator, fields in ((account, {}), (asked, manual), (asked, {"payment_capture": 0})):
        order = await emulator.order(**fields)
        await emulator.pay(order)
        tries = await emulator.call("GET", f"/v1/orders/{order['id']}/payments")
        assert tries["items"][0]["status"] == "authorized"


async def test_a_late_yes_for_a_paid_order_goes_back_uncaptured(emulator: Emulator) -> None:
    order = await emulator.order()
    late = (await emulator.pay(order, outcome="failure"))["error"]["metadata"]["payment_id"]
    await emulator.pay(order)
    payment = (await emulator.call("POST", f"/emulator/payments/{late}/authorize"))["payment"]
    assert (payment["status"], payment["captured"], payment["refund_status"]) == ("refunded", False, "full")
    books = await emulator.call("GET", "/emulator/books")
    assert books["totals"]["captured"] == 50_000
    assert (books["totals"]["refunded"], books["totals"]["returned_uncaptured"]) == (0, 50_000)


async def test_the_books_add_up(emulator: Emulator) -> None:
    payment = await emulator.captured(10_000)
    await emulator.captured(20_000)
    await emulator.pay(await emulator.order(3000), outcome="authorize_only")
    await emulator.pay(await emulator.order(), outcome="failure")
    await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 400})
    books = await emulator.call("GET", "/emulator/books")
    assert [len(books[name]) for name in ("orders", "payments", "refunds")] == [4, 4, 1]
    assert books["totals"] == {
        "captured": 30_000,
        "authorized": 3000,
        "refunded": 400,
        "returned_uncaptured": 0,
        "fees": 236 + 472,
        "tax": 36 + 72,
    }


async def test_it_is_healthy_and_refuses_unknown_control_fields(emulator: Emulator) -> None:
    assert await emulator.call("GET", "/emulator/health") == {"status": "ok"}
    order = await emulator.order()
    status, _ = await emulator.refused("POST", "/emulator/pay", {"order_id": order["id"], "outcome": "maybe"})
    assert status == 400
