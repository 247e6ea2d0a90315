"""Calls of the API that go wrong: what acted, and what the caller hears."""

import asyncio
import time

import httpx
import pytest

from tests.emulator.conftest import Emulator, Json, Start

ORDER = {"amount": 500, "currency": "INR", "receipt": "checkout-1"}
KEY = {"X-Refund-Idempotency": "refund-key-1"}


async def orders(emulator: Emulator) -> list[Json]:
    found: list[Json] = (await emulator.call("GET", "/emulator/books"))["orders"]
    return found


@pytest.mark.parametrize(("kind", "acts"), [("timeout_after", True), ("timeout_before", False)])
async def test_a_cut_connection_tells_nothing_of_what_happened(start: Start, kind: str, acts: bool) -> None:
    emulator = await start()
    await emulator.arm({"kind": kind, "operation": "create_order", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await emulator.http.post("/v1/orders", json=ORDER)
    assert len(await orders(emulator)) == acts
    assert (await emulator.http.post("/v1/orders", json=ORDER)).status_code == 200


@pytest.mark.parametrize(("kind", "acts"), [("timeout_after", True), ("timeout_before", False)])
async def test_an_answer_that_never_comes_runs_into_the_callers_own_limit(start: Start, kind: str, acts: bool) -> None:
    emulator = await start()
    await emulator.arm({"kind": kind, "operation": "create_order", "seconds": 30, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        await emulator.http.post("/v1/orders", json=ORDER, timeout=0.3)
    assert len(await orders(emulator)) == acts
    await emulator.arm({"kind": kind, "operation": "create_order", "seconds": 0.1, "times": 1})
    began = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        await emulator.http.post("/v1/orders", json=ORDER)
    assert time.monotonic() - began >= 0.1


async def test_a_call_that_would_be_refused_times_out_as_well(start: Start) -> None:
    emulator = await start()
    await emulator.arm({"kind": "timeout_after", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await emulator.http.post("/v1/orders", json={"amount": 1})
    assert await orders(emulator) == []


async def test_a_throttled_call_is_429_and_does_nothing(emulator: Emulator) -> None:
    await emulator.arm({"kind": "rate_limited", "times": 1})
    status, error = await emulator.refused("POST", "/v1/orders", ORDER)
    assert (status, error["code"], error["reason"]) == (429, "BAD_REQUEST_ERROR", "NA")
    assert await orders(emulator) == []


@pytest.mark.parametrize("acts", [False, True])
async def test_a_broken_server_answers_5xx_whether_it_acted_or_not(emulator: Emulator, acts: bool) -> None:
    await emulator.arm({"kind": "server_error", "status": 503, "acts": acts, "times": 1})
    status, error = await emulator.refused("POST", "/v1/orders", ORDER)
    assert (status, error["code"]) == (503, "SERVER_ERROR")
    assert len(await orders(emulator)) == acts


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize(("status", "title"), [(502, "502 Bad Gateway"), (200, "200 OK"), (599, "599 Error")])
async def test_a_page_of_html_comes_instead_of_json(emulator: Emulator, status: int, title: str, acts: bool) -> None:
    await emulator.arm({"kind": "html", "status": status, "acts": acts, "times": 1})
    response = await emulator.http.post("/v1/orders", json=ORDER)
    assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in response.text
    assert len(await orders(emulator)) == acts


async def test_a_wrong_amount_is_only_in_the_answer(emulator: Emulator) -> None:
    payment = await emulator.captured(50_000)
    await emulator.arm({"kind": "wrong_amount", "by": -100, "times": 2})
    assert (await emulator.call("GET", f"/v1/payments/{payment['id']}"))["amount"] == 49_900
    assert [p["amount"] for p in (await emulator.call("GET", "/v1/payments"))["items"]] == [49_900]
    assert (await emulator.call("GET", f"/v1/payments/{payment['id']}"))["amount"] == 50_000
    assert (await emulator.call("GET", "/emulator/books"))["totals"]["captured"] == 50_000


async def test_a_refund_in_progress_is_409_until_the_same_key_is_answered_with_it(emulator: Emulator) -> None:
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}/refund"
    await emulator.arm({"kind": "refund_in_progress", "times": 2})
    for _ in range(2):
        status, error = await emulator.refused("POST", path, {"amount": 500}, headers=KEY)
        assert status == 409
        assert error["description"] == "Another request with the same idempotency key is still in progress."
    refund = await emulator.call("POST", path, {"amount": 500}, headers=KEY)
    assert (await emulator.call("GET", "/v1/refunds"))["items"] == [refund]
    assert (await emulator.refused("POST", path, {"amount": 600}, headers=KEY))[0] == 409


async def test_a_refund_without_a_key_is_never_in_progress(emulator: Emulator) -> None:
    payment = await emulator.captured()
    await emulator.arm({"kind": "refund_in_progress"})
    await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})


async def test_a_refund_that_acts_times_out_conflicts_and_is_then_found_once(start: Start) -> None:
    emulator = await start()
    payment = await emulator.captured()
    path = f"/v1/payments/{payment['id']}/refund"
    await emulator.arm(
        {"kind": "timeout_after", "operation": "refund", "times": 1}, {"kind": "refund_in_progress", "times": 1}
    )
    with pytest.raises(httpx.RemoteProtocolError):
        await emulator.http.post(path, json={}, headers=KEY)
    assert (await emulator.http.post(path, json={}, headers=KEY)).status_code == 409
    assert (await emulator.call("POST", path, {}, headers=KEY))["amount"] == 50_000
    assert (await emulator.call("GET", "/v1/refunds"))["count"] == 1


async def test_lists_miss_what_is_new_while_ids_find_it(emulator: Emulator) -> None:
    await emulator.arm({"kind": "list_lag", "seconds": 60})
    payment = await emulator.captured()
    order = await emulator.call("GET", f"/v1/orders/{payment['order_id']}")
    assert order["status"] == "paid"
    for wait, count in ((0, 0), (59, 0), (1, 1)):
        await emulator.advance(wait)
        assert (await emulator.call("GET", "/v1/orders", params={"receipt": "r"}))["count"] == 0
        for path in ("/v1/orders", "/v1/payments"):
            assert (await emulator.call("GET", path))["count"] == count
        assert (await emulator.call("GET", f"/v1/orders/{order['id']}/payments"))["count"] == 1


async def test_an_order_is_found_by_its_receipt_only_after_the_lag(emulator: Emulator) -> None:
    await emulator.arm({"kind": "list_lag", "seconds": 60})
    order = await emulator.order(receipt="checkout-1")
    assert (await emulator.call("GET", "/v1/orders", params={"receipt": "checkout-1"}))["items"] == []
    await emulator.advance(60)
    assert (await emulator.call("GET", "/v1/orders", params={"receipt": "checkout-1"}))["items"] == [order]


async def test_a_call_without_the_key_uses_no_fault_up(emulator: Emulator) -> None:
    await emulator.arm({"kind": "server_error", "times": 1})
    request = emulator.http.build_request("GET", "/v1/orders")
    assert (await emulator.http.send(request, auth=None)).status_code == 401
    assert (await emulator.http.get("/v1/orders")).status_code == 500


async def test_held_connections_do_not_hold_up_the_end(start: Start) -> None:
    emulator = await start()
    await emulator.arm({"kind": "timeout_before", "seconds": 60})
    calls = [asyncio.create_task(emulator.http.get("/v1/orders", timeout=0.3)) for _ in range(3)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(end) for end in ended} == {httpx.ReadTimeout}
