"""Each way an answer can be wrong, and what kapda makes of it: a no, a don't know, or nothing there."""

import gzip
import json
import socket
import time

import pytest

from kapda.adapters.razorpay.gateway import RazorpayGateway
from kapda.domain.payments.gateway import (
    GatewayOrderRequest,
    GatewayPaymentState,
    GatewayRefusedError,
    GatewayUnknownError,
)
from kapda.domain.shared.money import INR, Money
from tests.adapters.razorpay.conftest import CLOSE, ORDER, PAYMENT, Connect, Reply, Server, error, raw, reply

REQUEST = GatewayOrderRequest("checkout-1", Money(5000, INR), {"checkout": "1"}, 12)
PAYMENT_ID = "pay_BBBBBBBBBBBBBB"
ORDER_ID = "order_AAAAAAAAAAAAAA"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
HTML = b"<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply([None]), id="no answer"),
        pytest.param(Reply([b"HTTP/1.1 2", CLOSE]), id="connection closed"),
        pytest.param(Reply([HEAD + b"Content-Length: 500\r\n\r\n{", None]), id="body stops"),
        pytest.param(Reply([HEAD + b"Content-Length: 500\r\n\r\n", *[b" "] * 100], pause=0.05), id="body drips"),
        pytest.param(Reply([HEAD, *[b"X-A: b\r\n"] * 50], pause=0.05), id="headers drip"),
        pytest.param(raw(502, HTML, "text/html"), id="502 HTML"),
        pytest.param(raw(200, HTML, "text/html"), id="200 HTML"),
        pytest.param(raw(403, HTML, "text/html"), id="403 HTML"),
        pytest.param(raw(200, b""), id="200 empty"),
        pytest.param(raw(204, b""), id="204"),
        pytest.param(raw(200, b"[" * 100_000), id="deep JSON"),
        pytest.param(raw(200, b" " * 2_000_000 + b"{}"), id="huge body"),
        pytest.param(raw(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"), id="gzip bomb"),
        pytest.param(raw(302, b"", Location="http://127.0.0.1:1/v1/orders"), id="redirect"),
        pytest.param(error(429, "Too many requests"), id="429"),
        pytest.param(error(408, "Request timed out"), id="408"),
        pytest.param(error(500, "We are facing some trouble"), id="500"),
        pytest.param(error(503, "The id provided does not exist"), id="503"),
        pytest.param(reply({"error": {"code": "GATEWAY_ERROR", "description": "no"}}, 400), id="400 gateway error"),
        pytest.param(reply({"error": {"code": "SERVER_ERROR", "description": "no"}}, 400), id="400 server error"),
        pytest.param(reply({"error": "no"}, 400), id="400 without envelope"),
        pytest.param(reply([]), id="a list"),
        pytest.param(reply({"id": ORDER_ID}), id="members missing"),
        pytest.param(reply(ORDER | {"amount": "5000"}), id="amount as text"),
        pytest.param(reply(ORDER | {"amount": 5000.5}), id="amount broken"),
        pytest.param(reply(ORDER | {"amount": True}), id="amount a bool"),
        pytest.param(reply(ORDER | {"amount": -1}), id="amount negative"),
        pytest.param(reply(ORDER | {"amount": 10**30}), id="amount enormous"),
        pytest.param(reply(ORDER | {"currency": "INR\n"}), id="currency odd"),
        pytest.param(reply(ORDER | {"amount": 4999}), id="another amount"),
        pytest.param(reply(ORDER | {"currency": "USD"}), id="another currency"),
        pytest.param(reply(ORDER | {"receipt": "checkout-2"}), id="another receipt"),
    ],
)
async def test_an_unclear_end_of_create_is_unknown(
    server: Server, gateway: RazorpayGateway, answer: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script = [answer]
    started = time.monotonic()
    with pytest.raises(GatewayUnknownError):
        await gateway.create_order(REQUEST)
    assert time.monotonic() - started < 2
    assert len(server.requests) == 1
    assert capsys.readouterr().out == ""


async def test_nobody_listening_is_unknown(connect: Connect, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(GatewayUnknownError) as unknown:
        await connect(base_url=f"http://127.0.0.1:{port}").create_order(REQUEST)
    assert unknown.value.detail == "ConnectionError"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("status", "source"), [(400, "business"), (401, "NA"), (409, "NA"), (422, None)])
async def test_an_envelope_with_a_bad_request_is_a_definite_no(
    server: Server, gateway: RazorpayGateway, status: int, source: str | None
) -> None:
    server.script = [error(status, "No.", source=source, reason="extra_field_sent", field="colour", metadata={})]
    with pytest.raises(GatewayRefusedError) as refused:
        await gateway.create_order(REQUEST)
    no = refused.value
    assert (no.status, no.code, no.description) == (status, "BAD_REQUEST_ERROR", "No.")
    assert (no.reason, no.field) == ("extra_field_sent", "colour")


@pytest.mark.parametrize("members", [{}, {"reason": "NA", "field": ""}, {"reason": None, "metadata": []}])
async def test_members_that_say_nothing_are_none(
    server: Server, gateway: RazorpayGateway, members: dict[str, object]
) -> None:
    server.script = [error(400, "No.", **members)]
    with pytest.raises(GatewayRefusedError) as refused:
        await gateway.create_order(REQUEST)
    assert (refused.value.reason, refused.value.field) == (None, None)


@pytest.mark.parametrize("notes", [[], {}, None, {"a": "b"}, ["x"]])
async def test_added_members_and_any_notes_are_read_over(
    server: Server, gateway: RazorpayGateway, notes: object
) -> None:
    server.script = [reply(ORDER | {"notes": notes, "brand_new": {"a": [1]}})]
    assert (await gateway.create_order(REQUEST)).id == ORDER_ID


async def test_the_order_asks_for_automatic_capture_inside_its_window(server: Server, gateway: RazorpayGateway) -> None:
    server.script = [reply(ORDER)]
    await gateway.create_order(REQUEST)
    line, headers, body = server.requests[0]
    assert line == "POST /v1/orders HTTP/1.1"
    assert headers["authorization"] == "Basic cnpwX3Rlc3RfeDp4"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {
        "amount": 5000,
        "currency": "INR",
        "receipt": "checkout-1",
        "notes": {"checkout": "1"},
        "payment": {
            "capture": "automatic",
            "capture_options": {
                "automatic_expiry_period": 12,
                "manual_expiry_period": 7200,
                "refund_speed": "normal",
            },
        },
    }


async def test_cookies_and_the_environments_proxies_are_left_alone(
    server: Server, gateway: RazorpayGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.script = [raw(200, json.dumps(ORDER).encode(), Set_Cookie="a=b; Path=/")]
    for _ in range(4):
        await gateway.create_order(REQUEST)
    assert not any("cookie" in headers for _, headers, _ in server.requests)


async def test_a_used_receipt_answers_with_its_order(server: Server, gateway: RazorpayGateway) -> None:
    used = error(400, "Order receipt should be unique.", metadata={"order_id": ORDER_ID})
    server.script = [used, reply(ORDER)]
    assert (await gateway.create_order(REQUEST)).id == ORDER_ID
    assert server.requests[1][0] == f"GET /v1/orders/{ORDER_ID} HTTP/1.1"


async def test_a_used_receipt_without_the_orders_id_is_looked_up(server: Server, gateway: RazorpayGateway) -> None:
    older = ORDER | {"id": "order_OLDER", "created_at": 1_749_999_999}
    other = ORDER | {"id": "order_OTHER", "receipt": "checkout-2", "created_at": 1_750_000_001}
    listed = reply({"entity": "collection", "count": 3, "items": [older, ORDER, other]})
    server.script = [error(400, "Order receipt should be unique."), listed]
    assert (await gateway.create_order(REQUEST)).id == ORDER_ID


async def test_a_used_receipt_that_cannot_be_found_yet_is_unknown_and_one_of_another_amount_a_no(
    server: Server, gateway: RazorpayGateway
) -> None:
    used = error(400, "Order receipt should be unique.", metadata={"order_id": ORDER_ID})
    server.script = [used, error(400, "The id provided does not exist")]
    with pytest.raises(GatewayUnknownError):
        await gateway.create_order(REQUEST)
    server.script = [used, reply(ORDER | {"amount": 777})]
    with pytest.raises(GatewayRefusedError):
        await gateway.create_order(REQUEST)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "pay_another"},
        {"status": "teleported"},
        {"captured": "yes"},
        {"created_at": "now"},
        {"created_at": 10**15},
        {"amount_refunded": -1},
        {"method": None},
    ],
)
async def test_a_payment_that_makes_no_sense_is_unknown(
    server: Server, gateway: RazorpayGateway, wrong: dict[str, object]
) -> None:
    server.script = [reply(PAYMENT | wrong)]
    with pytest.raises(GatewayUnknownError):
        await gateway.fetch_payment(PAYMENT_ID)


async def test_payments_of_another_order_are_unknown(server: Server, gateway: RazorpayGateway) -> None:
    server.script = [reply({"items": [PAYMENT | {"order_id": "order_another"}]})]
    with pytest.raises(GatewayUnknownError):
        await gateway.payments_of_order(ORDER_ID)


async def test_a_refused_fetch_is_told_apart_from_nothing_there(server: Server, gateway: RazorpayGateway) -> None:
    server.script = [error(400, "The id provided does not exist")]
    assert await gateway.fetch_payment(PAYMENT_ID) is None
    server.script = [error(401, "The api key provided is invalid")]
    with pytest.raises(GatewayRefusedError):
        await gateway.fetch_payment(PAYMENT_ID)


async def test_a_second_capture_takes_the_captured_payment_for_success(
    server: Server, gateway: RazorpayGateway
) -> None:
    captured = PAYMENT | {"status": "captured", "captured": True}
    server.script = [error(400, "This payment has already been captured"), reply(captured)]
    payment = await gateway.capture(PAYMENT_ID, Money(5000, INR))
    assert payment.state is GatewayPaymentState.CAPTURED
    assert [line for line, _, _ in server.requests] == [
        f"POST /v1/payments/{PAYMENT_ID}/capture HTTP/1.1",
        f"GET /v1/payments/{PAYMENT_ID} HTTP/1.1",
    ]
    assert json.loads(server.requests[0][2]) == {"amount": 5000, "currency": "INR"}
