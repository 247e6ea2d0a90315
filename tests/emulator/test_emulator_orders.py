"""Orders over HTTP."""

import re

import pytest

from tests.emulator.conftest import Emulator, Start

ORDER_MEMBERS = {
    "id", "entity", "amount", "amount_paid", "amount_due", "currency", "receipt", "offer_id", "status", "attempts",
    "notes", "created_at",
}  # fmt: skip


async def test_a_new_order_has_the_documented_shape(emulator: Emulator) -> None:
    order = await emulator.order(receipt="checkout-1")
    assert set(order) == ORDER_MEMBERS
    assert re.fullmatch(r"order_[A-Za-z0-9]{14}", order["id"])
    assert order | {"id": ""} == {
        "id": "",
        "entity": "order",
        "amount": 50_000,
        "amount_paid": 0,
        "amount_due": 50_000,
        "currency": "INR",
        "receipt": "checkout-1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": [],
        "created_at": 1_750_000_000,
    }
    assert await emulator.call("GET", f"/v1/orders/{order['id']}") == order


async def test_notes_come_back_as_an_object_once_there_are_any(emulator: Emulator) -> None:
    order = await emulator.order(notes={"checkout": "42"})
    assert order["notes"] == {"checkout": "42"}
    changed = await emulator.call("PATCH", f"/v1/orders/{order['id']}", {"notes": {"checkout": "43"}})
    assert changed["notes"] == {"checkout": "43"}


@pytest.mark.parametrize(
    ("body", "description", "field", "reason"),
    [
        ({"currency": "INR"}, "amount: is required.", "amount", "input_validation_failed"),
        (
            {"amount": 99, "currency": "INR"},
            "The amount must be at least INR 1.00",
            "amount",
            "input_validation_failed",
        ),
        ({"amount": 100.5, "currency": "INR"}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": True, "currency": "INR"}, "The amount must be an integer.", "amount", "input_validation_failed"),
        ({"amount": 100}, "currency: is required.", "currency", "input_validation_failed"),
        ({"amount": 100, "currency": "USD"}, "Currency is not supported", "currency", "invalid_currency"),
        (
            {"amount": 100, "currency": "INR", "receipt": "r" * 41},
            "The receipt may not be greater than 40 characters.",
            "receipt",
            "input_validation_failed",
        ),
        (
            {"amount": 100, "currency": "INR", "colour": "red"},
            "colour is/are not required and should not be sent",
            "colour",
            "extra_field_sent",
        ),
        (
            {"amount": 100, "currency": "INR", "payment": {"capture": "automatic"}},
            "automatic_expiry_period: is required.",
            "automatic_expiry_period",
            "input_validation_failed",
        ),
        (
            {
                "amount": 100,
                "currency": "INR",
                "payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 11}},
            },
            "The automatic_expiry_period must be between 12 and 7200.",
            "automatic_expiry_period",
            "input_validation_failed",
        ),
    ],
)
async def test_a_wrong_order_is_refused_with_its_field(
    emulator: Emulator, body: object, description: str, field: str, reason: str
) -> None:
    status, error = await emulator.refused("POST", "/v1/orders", body)
    assert status == 400
    assert error == {
        "code": "BAD_REQUEST_ERROR",
        "description": description,
        "source": "business",
        "step": "payment_initiation",
        "reason": reason,
        "metadata": {},
        "field": field,
    }


async def test_more_than_fifteen_notes_or_a_long_one_are_refused(emulator: Emulator) -> None:
    body = {"amount": 100, "currency": "INR"}
    many = {str(number): "x" for number in range(16)}
    assert (await emulator.refused("POST", "/v1/orders", {**body, "notes": many}))[1]["field"] == "notes"
    assert (await emulator.refused("POST", "/v1/orders", {**body, "notes": {"a": "x" * 257}}))[1]["field"] == "notes"


async def test_an_unknown_id_is_400_and_a_malformed_one_says_so(emulator: Emulator) -> None:
    status, error = await emulator.refused("GET", "/v1/orders/order_00000000000000")
    assert (status, error["description"]) == (400, "The id provided does not exist")
    status, error = await emulator.refused("GET", "/v1/orders/order_short")
    assert (status, error["description"]) == (400, "order_short is not a valid id")


@pytest.mark.parametrize("authorization", ["", "Bearer x", "basic cnpwX3Rlc3Q6eA==", "Basic cnpwX3Rlc3Q6eA=="])
async def test_a_wrong_key_or_scheme_is_401(emulator: Emulator, authorization: str) -> None:
    request = emulator.http.build_request("GET", "/v1/orders", headers={"Authorization": authorization})
    response = await emulator.http.send(request, auth=None)
    assert response.status_code == 401
    assert response.json()["error"]["source"] == "NA"


async def test_a_wrong_path_or_method_is_400(emulator: Emulator) -> None:
    for method, path in [("GET", "/v1/carts"), ("DELETE", "/v1/orders"), ("GET", "/")]:
        status, error = await emulator.refused(method, path)
        assert (status, error["description"]) == (400, "The requested URL was not found on the server.")


async def test_a_body_that_is_no_object_or_too_large_is_refused(emulator: Emulator) -> None:
    for content in (b"[]", b"{", b"null"):
        assert (await emulator.http.post("/v1/orders", content=content)).status_code == 400
    assert (await emulator.http.post("/v1/orders", content=b" " * 300_000)).status_code == 413


async def test_lists_are_newest_first_and_paged(emulator: Emulator) -> None:
    made = []
    for number in range(12):
        emulator.clock.time += 1
        made.append(await emulator.order(receipt=f"r{number}"))
    newest = list(reversed(made))
    first = await emulator.call("GET", "/v1/orders")
    assert (first["entity"], first["count"], first["items"]) == ("collection", 10, newest[:10])
    rest = await emulator.call("GET", "/v1/orders", params={"skip": 10, "count": 100})
    assert (rest["count"], rest["items"]) == (2, newest[10:])
    window = {"from": made[3]["created_at"], "to": made[5]["created_at"]}
    assert (await emulator.call("GET", "/v1/orders", params=window))["items"] == newest[6:9]


async def test_more_than_a_hundred_a_page_is_refused(emulator: Emulator) -> None:
    status, error = await emulator.refused("GET", "/v1/orders", params={"count": 101})
    assert (status, error["description"]) == (400, "The count may not be greater than 100.")


async def test_orders_are_found_by_receipt_and_by_having_an_authorised_payment(emulator: Emulator) -> None:
    first = await emulator.order(receipt="same")
    second = await emulator.order(receipt="same")
    await emulator.order(receipt="other")
    assert (await emulator.call("GET", "/v1/orders", params={"receipt": "same"}))["items"] == [second, first]
    assert (await emulator.call("GET", "/v1/orders", params={"receipt": "none"}))["items"] == []
    await emulator.pay(first, outcome="authorize_only")
    found = await emulator.call("GET", "/v1/orders", params={"authorized": 1, "expand[]": "payments"})
    assert [order["id"] for order in found["items"]] == [first["id"]]
    assert [payment["status"] for payment in found["items"][0]["payments"]["items"]] == ["authorized"]


async def test_a_repeated_unique_receipt_answers_with_the_same_order(emulator: Emulator) -> None:
    first = await emulator.order(receipt="once", unique_receipt=True)
    assert await emulator.order(receipt="once", unique_receipt=True) == first
    status, error = await emulator.refused(
        "POST", "/v1/orders", {"amount": 777, "currency": "INR", "receipt": "once", "unique_receipt": True}
    )
    assert (status, error["description"]) == (400, "Order receipt should be unique.")
    assert error["metadata"] == {"order_id": first["id"]}


async def test_an_account_may_enforce_unique_receipts(start: Start) -> None:
    emulator = await start(enforce_unique_receipts=True)
    await emulator.order(receipt="once")
    status, _ = await emulator.refused("POST", "/v1/orders", {"amount": 500, "currency": "INR", "receipt": "once"})
    assert status == 400


async def test_the_same_seed_and_calls_make_the_same_ids(start: Start) -> None:
    books = []
    for seed in (7, 7, 8):
        emulator = await start(seed=seed)
        await emulator.captured()
        await emulator.pay(await emulator.order(), method="card", outcome="failure")
        books.append(await emulator.call("GET", "/emulator/books"))
    assert books[0] == books[1]
    assert books[0] != books[2]
