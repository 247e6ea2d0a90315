"""Orders: what an account must do with keys alone."""

import time
from typing import Final

from kapda.domain.payments.gateway import GatewayRefusedError
from kapda.domain.shared.money import INR, Money
from kapda.gateway_contract.check import Check, ContractBrokenError, expect, expect_equal
from kapda.gateway_contract.subject import PRICE, Subject

_NOBODY: Final = "00000000000000"
_CODE: Final = "BAD_REQUEST_ERROR"


async def _made(at: Subject) -> None:
    request = at.request()
    order = await at.gateway.create_order(request)
    expect_equal((order.receipt, order.amount), (request.receipt, request.amount), "the order's receipt and amount")
    raw = await at.get(f"/orders/{order.id}")
    for member, wanted in {
        "entity": "order",
        "amount": 100,
        "amount_paid": 0,
        "amount_due": 100,
        "currency": "INR",
        "status": "created",
        "attempts": 0,
        "notes": dict(request.notes),
    }.items():
        expect_equal(raw[member], wanted, f"a new order's {member}")
    expect(isinstance(raw["created_at"], int), "created_at is an integer of seconds")
    expect(abs(raw["created_at"] - time.time()) < 300, "created_at is now")


async def _found_by_receipt(at: Subject) -> None:
    order = await at.order()
    found = await at.eventually(lambda: at.gateway.find_order(order.receipt or ""))
    expect_equal(found, order, "the order found by its receipt")


async def _fetched(at: Subject) -> None:
    order = await at.order()
    expect_equal(await at.gateway.fetch_order(order.id), order, "the order fetched by its id")
    expect_equal(await at.gateway.payments_of_order(order.id), (), "the payments of a new order")


async def _unknown(at: Subject) -> None:
    expect_equal(await at.gateway.find_order(at.new_receipt()), None, "an unused receipt's order")
    expect_equal(await at.gateway.fetch_order(f"order_{_NOBODY}"), None, "an unknown order")
    expect_equal(await at.gateway.fetch_payment(f"pay_{_NOBODY}"), None, "an unknown payment")
    expect_equal(await at.gateway.fetch_refund(f"rfnd_{_NOBODY}"), None, "an unknown refund")
    expect_equal(await at.gateway.payments_of_order(f"order_{_NOBODY}"), (), "an unknown order's payments")
    expect_equal(await at.gateway.refunds_of_payment(f"pay_{_NOBODY}"), (), "an unknown payment's refunds")


async def _unknown_raw(at: Subject) -> None:
    for path in (f"/orders/order_{_NOBODY}", f"/payments/pay_{_NOBODY}", "/orders/order_short"):
        status, error = await at.refused("GET", path)
        expect_equal((status, error["code"]), (400, _CODE), f"the answer to GET {path}")


async def _unknown_acted_on(at: Subject) -> None:
    try:
        await at.gateway.capture(f"pay_{_NOBODY}", PRICE)
    except GatewayRefusedError as refused:
        expect_equal(refused.status, 400, "the status of capturing an unknown payment")
    else:
        raise ContractBrokenError("expected: an unknown payment cannot be captured")
    status, _ = await at.refused("POST", f"/payments/pay_{_NOBODY}/refund", {"amount": 100})
    expect_equal(status, 400, "the status of refunding an unknown payment")


async def _amounts(at: Subject) -> None:
    try:
        await at.gateway.create_order(at.request(Money(99, INR)))
    except GatewayRefusedError as refused:
        expect_equal((refused.status, refused.code), (400, _CODE), "the refusal of 99 paise")
    else:
        raise ContractBrokenError("expected: 99 paise are refused")
    for body in ({"amount": 100.5, "currency": "INR"}, {"currency": "INR"}, {"amount": 100}):
        status, error = await at.refused("POST", "/orders", body)
        expect_equal((status, error["code"]), (400, _CODE), f"the refusal of {body}")


async def _receipts(at: Subject) -> None:
    longest = at.new_receipt().ljust(40, "x")
    made = await at.post("/orders", {"amount": 100, "currency": "INR", "receipt": longest})
    expect_equal(made["receipt"], longest, "a receipt of 40 characters")
    status, _ = await at.refused("POST", "/orders", {"amount": 100, "currency": "INR", "receipt": longest + "x"})
    expect_equal(status, 400, "the status of a receipt of 41 characters")


async def _receipt_twice(at: Subject) -> str:
    first = await at.order()
    again = await at.gateway.create_order(at.request(receipt=first.receipt))
    expect_equal((again.receipt, again.amount), (first.receipt, first.amount), "the second order of a receipt")
    return "the account makes a second order" if again.id != first.id else "the account keeps receipts unique"


async def _notes(at: Subject) -> str:
    made = await at.post("/orders", {"amount": 100, "currency": "INR", "receipt": at.new_receipt()})
    expect(made["notes"] in ([], {}), f"empty notes are [] or {{}}, not {made['notes']!r}")
    many = {f"n{number}": "x" for number in range(16)}
    status, _ = await at.refused("POST", "/orders", {"amount": 100, "currency": "INR", "notes": many})
    expect_equal(status, 400, "the status of sixteen notes")
    changed = await at.http.patch(f"/v1/orders/{made['id']}", json={"notes": {"a": "b"}})
    expect_equal(changed.json()["notes"], {"a": "b"}, "the notes after PATCH")
    return f"empty notes are {made['notes']!r}"


async def _capture_window(at: Subject) -> None:
    options = {"automatic_expiry_period": 11, "refund_speed": "normal"}
    body = {"amount": 100, "currency": "INR", "payment": {"capture": "automatic", "capture_options": options}}
    status, _ = await at.refused("POST", "/orders", body)
    expect_equal(status, 400, "the status of an automatic capture window of 11 minutes")


async def _lists(at: Subject) -> None:
    await at.order()
    page = await at.get("/orders", count=1)
    expect_equal((page["entity"], page["count"], len(page["items"])), ("collection", 1, 1), "a page of one order")
    status, _ = await at.refused("GET", "/orders?count=101")
    expect_equal(status, 400, "the status of more than a hundred a page")


async def _keys(at: Subject) -> str:
    response = await at.http.get("/v1/orders?count=1", auth=("rzp_test_nobodysKey00", "nobodys secret"))
    expect(response.status_code in (400, 401), f"a wrong key is 400 or 401, not {response.status_code}")
    expect_equal(response.json()["error"]["code"], _CODE, "the code for a wrong key")
    return f"a wrong key is {response.status_code}"


CHECKS: Final = (
    Check("an order is made for its amount, receipt and notes", _made),
    Check("an order is found by its receipt", _found_by_receipt),
    Check("an order is fetched by its id and has no payments", _fetched),
    Check("what does not exist is nothing", _unknown),
    Check("an unknown or malformed id is 400, not 404", _unknown_raw),
    Check("what does not exist is neither captured nor refunded", _unknown_acted_on),
    Check("amounts are whole paise, at least 100", _amounts),
    Check("receipts have at most 40 characters", _receipts),
    Check("a receipt used again ends in one usable order", _receipt_twice),
    Check("notes: at most 15, replaced by PATCH", _notes),
    Check("the automatic capture window is at least 12 minutes", _capture_window),
    Check("lists are pages of at most a hundred", _lists),
    Check("a wrong key is refused", _keys),
)
