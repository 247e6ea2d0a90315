"""Deliveries that are refused: by a 4xx when it is the sender's fault, counted, with nothing stored."""

import asyncio
from contextlib import suppress

import orjson
import pytest

from tests.entrypoints.http.conftest import ACCOUNT, PATH, Delivery, RunShim, Shim, captured

GOOD = captured()
SIGNATURE = GOOD.headers()["x-razorpay-signature"]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("x-razorpay-signature", "")],
        [("x-razorpay-signature", "0" * 64)],
        [("x-razorpay-signature", SIGNATURE[:-1])],
        [("x-razorpay-signature", "ü" * 64)],
        [("x-razorpay-signature", SIGNATURE), ("x-razorpay-signature", SIGNATURE)],
        [("x-razorpay-signature", SIGNATURE), ("x-razorpay-signature", "0" * 64)],
        [("x-razorpay-signature", f"{SIGNATURE}, {SIGNATURE}")],
    ],
    ids=["missing", "blank", "wrong", "cut", "not-ascii", "twice", "good-and-bad", "two-in-one"],
)
async def test_f34_a_signature_that_is_not_exactly_one_good_one_is_refused(
    shim: Shim, headers: list[tuple[str, str]]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = await shim.client.post(PATH, content=GOOD.body, headers=raw)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "PAYMENT_SIGNATURE_INVALID"
    assert error["requestId"] == answer.headers["x-request-id"]
    assert await shim.events() == []
    assert await shim.counted("bad_signature") == 1


async def test_a_body_that_was_changed_is_refused(shim: Shim) -> None:
    answer = await shim.client.post(PATH, content=GOOD.body + b" ", headers=GOOD.headers())
    assert answer.status_code == 400
    assert await shim.events() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"event": "payment.captured"}',
        b'{"payload": {}}',
        orjson.dumps({"event": "payment.captured", "payload": {}, "account_id": "acc_SomebodyElse01"}),
    ],
)
async def test_a_signed_body_that_is_no_event_of_ours_is_refused(shim: Shim, body: bytes) -> None:
    answer = await shim.deliver(Delivery(body, "TestEvent00001"))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_FAILED"
    assert await shim.events() == []
    assert await shim.counted("unreadable") == 1


async def test_a_body_over_the_limit_is_refused_at_its_announcement(shim: Shim) -> None:
    body = orjson.dumps({"event": "x", "payload": {}, "account_id": ACCOUNT, "filler": "x" * 1024 * 1024})
    answer = await shim.deliver(Delivery(body, "TestEvent00001"))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "CONTENT_TOO_LARGE"
    assert await shim.counted("too_large") == 1


async def test_a_body_without_a_length_is_cut_off_at_the_limit(shim: Shim) -> None:
    reader, writer = await asyncio.open_connection(shim.client.base_url.host, shim.client.base_url.port)
    writer.write(b"POST /api/payments/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent, chunk = 0, 64 * 1024
    with suppress(ConnectionError):
        while sent < 64 * 1024 * 1024:
            writer.write(b"%x\r\n" % chunk + b"x" * chunk + b"\r\n")
            await writer.drain()
            sent += chunk
    assert sent < 16 * 1024 * 1024
    with suppress(ConnectionError):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()
    assert await shim.counted("too_large") == 1


async def test_a_body_that_trickles_in_is_given_up(run_shim: RunShim) -> None:
    async with run_shim(answer_seconds=0.2) as shim:
        reader, writer = await asyncio.open_connection(shim.client.base_url.host, shim.client.base_url.port)
        writer.write(b"POST /api/payments/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 503")
        writer.close()
        assert await shim.counted("late") == 1


async def test_a_sender_outside_the_list_is_refused_whatever_it_says_of_itself(run_shim: RunShim) -> None:
    async with run_shim(allowed_senders=("52.66.75.174", "18.96.225.0/26")) as shim:
        answer = await shim.client.post(
            PATH, content=GOOD.body, headers={**GOOD.headers(), "x-forwarded-for": "52.66.75.174"}
        )
        assert answer.status_code == 403
        assert await shim.events() == []
        assert await shim.counted("foreign_sender") == 1


async def test_a_sender_on_the_list_is_heard(run_shim: RunShim) -> None:
    async with run_shim(allowed_senders=("127.0.0.0/8",)) as shim:
        assert (await shim.deliver(GOOD)).status_code == 200


async def test_a_sender_that_goes_away_harms_nobody(shim: Shim) -> None:
    host, port = shim.client.base_url.host, shim.client.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST /api/payments/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await shim.deliver(GOOD)).status_code == 200
    assert await shim.counted("disconnected") == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", PATH, 405, "METHOD_NOT_ALLOWED"), ("POST", "/api/payments/webhooks", 404, "NOT_FOUND")],
)
async def test_other_doors_are_refused_in_the_same_shape(
    shim: Shim, method: str, path: str, status: int, code: str
) -> None:
    answer = await shim.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]
