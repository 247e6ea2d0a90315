"""Refunds over HTTP."""

import re

import pytest

from tests.emulator.conftest import Emulator, Start

KEY = {"X-Refund-Idempotency": "refund-key-1"}


async def test_a_refund_has_the_documented_shape(emulator: Emulator) -> None:
    payment = await emulator.captured()
    refund = await emulator.call(
        "POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500, "speed": "normal", "receipt": "#1"}
    )
    assert re.fullmatch(r"rfnd_[A-Za-z0-9]{14}", refund["id"])
    assert refund | {"id": ""} == {
        "id": "",
        "entity": "refund",
        "amount": 500,
        "currency": "INR",
        "payment_id": payment["id"],
        "notes": [],
        "receipt": "#1",
        "acquirer_data": {"arn": None},
        "created_at": 1_750_000_000,
        "batch_id": None,
        "status": "processed",
        "speed_processed": "normal",
        "speed_requested": "normal",
    }
    for path in (f"/v1/refunds/{refund['id']}", f"/v1/payments/{payment['id']}/refunds/{refund['id']}"):
        assert await emulator.call("GET", path) == refund
    for path in ("/v1/refunds", f"/v1/payments/{payment['id']}/refunds"):
        assert (await emulator.call("GET", path))["items"] == [refund]


async def test_partial_refunds_leave_the_payment_captured_until_nothing_is_left(emulator: Emulator) -> None:
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}"
    await emulator.call("POST", f"{path}/refund", {"amount": 20_000})
    partly = await emulator.call("GET", path)
    assert (partly["status"], partly["amount_refunded"], partly["refund_status"]) == ("captured", 20_000, "partial")
    status, error = await emulator.refused("POST", f"{path}/refund", {"amount": 30_001})
    assert (status, error["description"]) == (400, "The refund amount provided is greater than amount captured")
    assert (await emulator.call("POST", f"{path}/refund", {}))["amount"] == 30_000
    wholly = await emulator.call("GET", path)
    assert (wholly["status"], wholly["captured"], wholly["refund_status"]) == ("refunded", True, "full")
    status, error = await emulator.refused("POST", f"{path}/refund", {"amount": 100})
    assert (status, error["description"]) == (400, "The payment has been fully refunded already.")
    assert (await emulator.call("GET", f"/v1/orders/{payment['order_id']}"))["status"] == "paid"


async def test_only_captured_payments_are_refunded(emulator: Emulator) -> None:
    triple = await emulator.pay(await emulator.order(), outcome="authorize_only")
    status, error = await emulator.refused("POST", f"/v1/payments/{triple['razorpay_payment_id']}/refund", {})
    assert (status, error["description"]) == (400, "The payment status should be captured for action to be taken")


@pytest.mark.parametrize(("body", "field"), [({"amount": 99}, "amount"), ({"speed": "fast"}, "speed"), ({"a": 1}, "a")])
async def test_a_wrong_refund_is_refused_with_its_field(emulator: Emulator, body: object, field: str) -> None:
    payment = await emulator.captured()
    status, error = await emulator.refused("POST", f"/v1/payments/{payment['id']}/refund", body)
    assert (status, error["field"]) == (400, field)


async def test_the_same_key_and_body_make_one_refund(emulator: Emulator) -> None:
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}/refund"
    first = await emulator.call("POST", path, {"amount": 500}, headers=KEY)
    assert await emulator.call("POST", path, {"amount": 500}, headers=KEY) == first
    assert (await emulator.call("GET", "/v1/refunds"))["count"] == 1


async def test_the_same_key_with_another_body_or_payment_conflicts(emulator: Emulator) -> None:
    payment, other = await emulator.captured(), await emulator.captured()
    await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500}, headers=KEY)
    for target, amount in ((payment, 501), (other, 500)):
        status, error = await emulator.refused(
            "POST", f"/v1/payments/{target['id']}/refund", {"amount": amount}, headers=KEY
        )
        assert status == 409
        assert error["description"] == ("Different request with the same idempotency key has already been processed.")


@pytest.mark.parametrize("key", ["short", "with a space in it", "with/slash/in/it"])
async def test_a_bad_key_is_refused(emulator: Emulator, key: str) -> None:
    payment = await emulator.captured()
    status, _ = await emulator.refused(
        "POST", f"/v1/payments/{payment['id']}/refund", {}, headers={"X-Refund-Idempotency": key}
    )
    assert status == 400
    assert (await emulator.call("GET", "/v1/refunds"))["count"] == 0


async def test_a_refused_refund_does_not_use_up_its_key(emulator: Emulator) -> None:
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}/refund"
    await emulator.refused("POST", path, {"amount": 50_001}, headers=KEY)
    await emulator.call("POST", path, {"amount": 50_000}, headers=KEY)


async def test_a_pending_refund_is_processed_or_fails_and_gives_the_money_back(start: Start) -> None:
    emulator = await start(refunds_stay_pending=True)
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}"
    first = await emulator.call("POST", f"{path}/refund", {"amount": 20_000})
    assert (first["status"], first["speed_processed"]) == ("pending", None)
    assert (await emulator.call("POST", f"/emulator/refunds/{first['id']}/process"))["status"] == "processed"
    second = await emulator.call("POST", f"{path}/refund", {})
    assert (await emulator.call("GET", path))["status"] == "refunded"
    assert (await emulator.call("POST", f"/emulator/refunds/{second['id']}/fail"))["status"] == "failed"
    after = await emulator.call("GET", path)
    assert (after["status"], after["amount_refunded"]) == ("captured", 20_000)
    assert (await emulator.refused("POST", f"/emulator/refunds/{second['id']}/process"))[0] == 400
    assert (await emulator.call("GET", "/emulator/books"))["totals"]["refunded"] == 20_000


async def test_a_refund_of_another_payment_is_not_found_there(emulator: Emulator) -> None:
    payment, other = await emulator.captured(), await emulator.captured()
    refund = await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {})
    assert (await emulator.refused("GET", f"/v1/payments/{other['id']}/refunds/{refund['id']}"))[0] == 400
