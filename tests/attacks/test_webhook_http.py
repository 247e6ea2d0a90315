"""The webhook's door under everything that HTTP can carry: each answer is typed and none is a fault of ours."""

import asyncio
import gzip
import hashlib
import hmac
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import structlog
from sqlalchemy import text

from tests.entrypoints.http.conftest import (  # noqa: F401  (fixtures)
    ACCOUNT,
    PATH,
    SECRET,
    Delivery,
    RunShim,
    Shim,
    captured,
    engine,
    run_shim,
    shim,
)

GOOD = captured()
REFUSALS = {400, 403, 404, 405, 413, 503}
MAX_BODY = 1024 * 1024


def sealed(body: bytes, event_id: str = "TestEvent00001") -> Delivery:
    """Those bytes, rightly signed: the signature proves who wrote, not that it can be read."""
    return Delivery(body, event_id)


def typed(answer: Any) -> str:
    """The code of a refusal, which has the one shape and tells nothing of the machine."""
    assert answer.status_code in REFUSALS, (answer.status_code, answer.text)
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "requestId"}
    assert error["requestId"] == answer.headers["x-request-id"]
    for word in ("Traceback", "Error", "asyncpg", "SELECT", "kapda.", ".py", SECRET):
        assert word not in answer.text
    return str(error["code"])


def document(**changed: Any) -> dict[str, Any]:
    """A delivery's JSON with something changed."""
    return {**orjson.loads(GOOD.body), **changed}


def entity(**changed: Any) -> bytes:
    """A payment's delivery with something changed in the payment."""
    whole = document()
    whole["payload"]["payment"]["entity"].update(changed)
    return orjson.dumps(whole)


DEEP = b"[" * 100_000 + b"]" * 100_000
UNREADABLE = {
    "deep lists": DEEP,
    "deep objects": b'{"event":' * 50_000 + b"1" + b"}" * 50_000,
    "deep inside": b'{"account_id":"%b","event":"payment.captured","payload":%b}' % (ACCOUNT.encode(), DEEP),
    "NaN": b"NaN",
    "NaN within": GOOD.body.replace(b'"captured"', b"NaN"),
    "infinity": GOOD.body.replace(b'"captured"', b"-Infinity"),
    "two documents": GOOD.body + GOOD.body,
    "a comment": GOOD.body + b"// so",
    "a trailing comma": GOOD.body[:-1] + b",}",
    "single quotes": GOOD.body.replace(b'"', b"'"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.body,
    "utf-16": GOOD.body.decode().encode("utf-16"),
    "utf-32": GOOD.body.decode().encode("utf-32-le"),
    "latin-1": entity(id="pay_x").replace(b"pay_x", b"pay_\xe9"),
    "half a surrogate": entity(id="pay_x").replace(b"pay_x", b"\xed\xa0\x80"),
    "NUL bytes": b"\0" * 100,
    "gzip": gzip.compress(GOOD.body),
    "BSON": b"\x16\x00\x00\x00\x02event\x00\x02\x00\x00\x00x\x00\x00",
    "CBOR": b"\xa1eevent\x01",
    "a number": b"1e999",
    "a text": b'"payment.captured"',
    "a long number": b'{"event":%b}' % (b"9" * 10_000),
    "no payload": orjson.dumps({"event": "payment.captured", "account_id": ACCOUNT}),
    "a list of payloads": orjson.dumps(document(payload=[])),
    "an event that is a number": orjson.dumps(document(event=1)),
    "an event that is empty": orjson.dumps(document(event="")),
    "an event that is long": orjson.dumps(document(event="e" * 10_000)),
    "an account that is a list": orjson.dumps(document(account_id=[ACCOUNT])),
}


async def test_a_signed_body_that_is_no_event_is_refused_and_not_stored(shim: Shim) -> None:  # noqa: F811
    with structlog.testing.capture_logs() as lines:
        for what, body in UNREADABLE.items():
            answer = await shim.deliver(sealed(body))
            assert answer.status_code == 400, what
            assert typed(answer) == "VALIDATION_FAILED", what
    assert await shim.events() == []
    assert not [line for line in lines if line["log_level"] == "error"]


ODD_BUT_READABLE = {
    "a key twice": GOOD.body.replace(b'{"entity"', b'{"event":"refund.failed","entity"', 1),
    "an amount beyond int64": entity(amount=2**63).replace(b"9223372036854775808", b"9" * 300),
    "ids that are numbers": entity(id=1, order_id=2.5),
    "ids that are lists": entity(id=["pay_1"], order_id={"a": 1}),
    "ids that are null": entity(id=None, order_id=None),
    "ids that are long": entity(id="p" * 100_000, order_id="o" * 100_000),
    "ids that are blank": entity(id="", order_id=" "),
    "ids of another alphabet": entity(id="pay_१२३", order_id="\u202eorder"),
    "a payment that is a list": orjson.dumps(document(payload={"payment": []})),
    "an entity that is a text": orjson.dumps(document(payload={"payment": {"entity": "x"}})),
    "nothing in the payload": orjson.dumps(document(payload={})),
    "fields that nobody knows": orjson.dumps(document(more={"x": [1, 2, {"y": None}]})),
    "spaces around": b" \r\n\t" + GOOD.body + b" \n",
    "a key of NUL": GOOD.body.replace(b'{"entity"', b'{"\\u0000":"\\u0000","entity"', 1),
}


async def forget(shim: Shim) -> None:  # noqa: F811
    """As if nothing had been delivered."""
    async with shim.engine.begin() as connection:
        await connection.execute(text("DELETE FROM gateway_events"))


async def test_an_odd_event_is_stored_once(shim: Shim) -> None:  # noqa: F811
    for what, body in ODD_BUT_READABLE.items():
        answers = [await shim.deliver(sealed(body)) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200], what
        assert len(await shim.events()) == 1, what
        await forget(shim)


async def test_an_odd_event_id_is_taken_and_the_fact_is_stored_once(shim: Shim) -> None:  # noqa: F811
    signature = (b"x-razorpay-signature", GOOD.headers()["x-razorpay-signature"].encode())
    odd = ["x" * 300, "x" * 9_000, "id with space", "ID\tTAB", "é", "१२३", "'; DROP TABLE gateway_events; --", ""]
    for event_id in (None, *odd):
        headers = [signature] if event_id is None else [signature, (b"x-razorpay-event-id", event_id.encode())]
        for _ in range(2):
            assert (await shim.client.post(PATH, content=GOOD.body, headers=headers)).status_code == 200, event_id
        assert len(await shim.events()) == 1, event_id
        await forget(shim)


async def test_f34_no_form_of_a_signature_but_the_one_good_one_lets_a_delivery_in(shim: Shim) -> None:  # noqa: F811
    good = GOOD.headers()["x-razorpay-signature"]
    upper, other = good.upper(), hmac.new(b"other", GOOD.body, hashlib.sha256).hexdigest()
    wrong = [
        *[[("x-razorpay-signature", value)] for value in ("", "0", "g" * 64, upper, other, good[:-1], good + "0")],
        *[[("x-razorpay-signature", value)] for value in (f"sha256={good}", f'"{good}"', f"{good};{good}", good * 2)],
        *[
            [("x-razorpay-signature", value)]
            for value in (good[:32] + " " + good[32:], f"{good}\t{good}", "%00" + good)
        ],
        [("x-razorpay-signature", good), ("X-Razorpay-Signature", good)],
        [("x-razorpay-signature", ""), ("x-razorpay-signature", good)],
        [("x-razorpay-signature", good), ("x-razorpay-signature", "")],
        [("x_razorpay_signature", good)],
        [("razorpay-signature", good)],
        [("x-razorpay-signature-v2", good)],
        [],
    ]
    for headers in wrong:
        answer = await shim.client.post(PATH, content=GOOD.body, headers=headers)
        assert (answer.status_code, typed(answer)) == (400, "PAYMENT_SIGNATURE_INVALID"), headers
    assert await shim.events() == []
    assert await shim.counted("bad_signature") == len(wrong)
    assert (await shim.deliver(GOOD)).status_code == 200


async def chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    """The body piece by piece, so that it goes out without a length."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def test_a_body_in_chunks_is_the_same_body(shim: Shim) -> None:  # noqa: F811
    for size in (1, 7, 1000):
        answer = await shim.client.post(PATH, content=chunks(GOOD.body, size), headers=GOOD.headers())
        assert answer.status_code == 200
    assert len(await shim.events()) == 1


async def test_a_body_over_the_limit_is_refused_announced_or_not(shim: Shim) -> None:  # noqa: F811
    long = orjson.dumps(document(filler="x" * MAX_BODY))
    for content in (long, chunks(long, 64 * 1024)):
        answer = await shim.client.post(PATH, content=content, headers=sealed(long).headers())
        assert (answer.status_code, typed(answer)) == (413, "CONTENT_TOO_LARGE")
    exact = orjson.dumps(document(filler=""))
    exact = orjson.dumps(document(filler="x" * (MAX_BODY - len(exact))))
    assert len(exact) == MAX_BODY
    assert (await shim.deliver(sealed(exact))).status_code == 200


async def test_an_encoding_is_nobodys_business_the_bytes_are_signed(shim: Shim) -> None:  # noqa: F811
    packed = gzip.compress(GOOD.body)
    for encoding in ("gzip", "deflate", "br", "identity", "x" * 500, "é"):
        for body, status in ((packed, 400), (GOOD.body, 200)):
            headers = {**sealed(body).headers(), "content-encoding": encoding}
            raw = [(name.encode(), value.encode()) for name, value in headers.items()]
            assert (await shim.client.post(PATH, content=body, headers=raw)).status_code == status, encoding


async def test_a_content_type_decides_nothing(shim: Shim) -> None:  # noqa: F811
    for kind in ("", "text/plain", "application/xml", "multipart/form-data; boundary=x", "a" * 4000):
        answer = await shim.client.post(PATH, content=GOOD.body, headers={**GOOD.headers(), "content-type": kind})
        assert answer.status_code == 200, kind


async def test_another_method_is_not_allowed(shim: Shim) -> None:  # noqa: F811
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW"):
        answer = await shim.client.request(method, PATH, content=GOOD.body, headers=GOOD.headers())
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), method
        assert method == "HEAD" or typed(answer) == "METHOD_NOT_ALLOWED"
    assert await shim.events() == []


PATHS = [
    "/",
    "//",
    "/api/payments/webhook/",
    "/API/PAYMENTS/WEBHOOK",
    "/api//payments/webhook",
    "/api/payments/webhook%00",
    "/api/payments/webhook%2f",
    "/%2e%2e/etc/passwd",
    "/x" * 4000,
    "/metrics/",
    "/é",
]


async def test_another_path_is_not_found(shim: Shim) -> None:  # noqa: F811
    for path in PATHS:
        answer = await shim.client.post(path, content=GOOD.body, headers=GOOD.headers(), follow_redirects=False)
        # A slash too many is told where the door is.
        assert answer.status_code in {307, 404}, path
    assert await shim.events() == []


CODES = {b"400", b"404", b"413", b"431", b"503"}


async def spoken(shim: Shim, *parts: bytes, pause: float = 0.0) -> bytes:  # noqa: F811
    """What comes back for these very bytes; empty where the server hung up."""
    reader, writer = await asyncio.open_connection(shim.client.base_url.host, shim.client.base_url.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(64 * 1024), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"POST /api/payments/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
BROKEN = {
    "nothing of HTTP": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(50)],
    "two lengths": [HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"],
    "length and chunks": [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    ],
    "a negative length": [HEAD + b"Content-Length: -1\r\n\r\n"],
    "a length of letters": [HEAD + b"Content-Length: five\r\n\r\n12345"],
    "a length beyond everything": [HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n"],
    "a chunk of a wrong length": [HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"],
    "a chunk beyond everything": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 16 + b"\r\nx"],
    "a header without a name": [HEAD + b": x\r\n\r\n"],
    "a header without an end": [HEAD + b"X-A: " + b"a" * 100_000],
    "thousands of headers": [HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(5_000)) + b"\r\n"],
    "a folded header": [HEAD + b"X-A: a\r\n b\r\n\r\n"],
    "NUL in a header": [HEAD + b"X-A: a\0b\r\n\r\n"],
    "no host": [b"POST /api/payments/webhook HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"],
    "no version": [b"POST /api/payments/webhook\r\n\r\n"],
    "an absolute address": [
        b"POST http://elsewhere/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ],
    "an expectation": [HEAD + b"Expect: 200-maybe\r\nContent-Length: 0\r\n\r\n"],
    "an upgrade": [HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"],
}


async def test_broken_http_is_refused_or_hung_up_on_and_the_next_delivery_is_taken(
    run_shim: RunShim,  # noqa: F811
) -> None:
    async with run_shim(answer_seconds=3.0) as running:
        with structlog.testing.capture_logs() as lines:
            for what, parts in BROKEN.items():
                answer = await spoken(running, *parts)
                # 503 where the server waited in vain for what was announced.
                assert answer == b"" or answer.split(b" ", 2)[1] in CODES, (what, answer[:200])
                assert not [word for word in (b"Traceback", b".py", b"kapda.") if word in answer]
                assert (await running.deliver(GOOD)).status_code == 200, what
        assert not [line for line in lines if line["log_level"] == "error"]
        assert len(await running.events()) == 1


async def test_bodies_that_trickle_hold_up_nobody_and_end(run_shim: RunShim) -> None:  # noqa: F811
    async with run_shim(answer_seconds=3.0) as slow:
        head = HEAD + b"Content-Length: 1000\r\n\r\n"
        trickling = [asyncio.create_task(spoken(slow, head, *[b"x"] * 5, pause=0.05)) for _ in range(40)]
        # Let in beside them: they hold no place where deliveries are stored.
        assert (await slow.deliver(GOOD)).status_code == 200
        answers = await asyncio.gather(*trickling)
        assert {answer.split(b" ", 2)[1] for answer in answers} == {b"503"}
        assert await slow.counted("late") == 40


# What JSON's readers stumble over.
SPLINTERS = [b"\0", b"\\u0000", b"\\ud800", b"[[[", b'"', b"\xff", b"NaN", b"{}", b"9" * 400]


async def test_no_damage_to_a_signed_delivery_is_a_fault_of_ours(shim: Shim) -> None:  # noqa: F811
    dice, stored = random.Random(34), 0  # noqa: S311  (it must be repeatable)
    for number in range(400):
        body = bytearray(GOOD.body)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(body))
            match dice.randrange(4):
                case 0:
                    body[at] ^= 1 << dice.randrange(8)
                case 1:
                    del body[at : at + dice.randint(1, 20)]
                case 2:
                    body[at:at] = dice.choice(SPLINTERS)
                case _:
                    body[at:at] = body[dice.randrange(len(body)) :][:50]
        answer = await shim.deliver(sealed(bytes(body), f"evt_{number}"))
        stored += answer.status_code == 200
        assert answer.status_code == 200 or typed(answer) == "VALIDATION_FAILED", bytes(body)
    assert len(await shim.events()) <= stored
