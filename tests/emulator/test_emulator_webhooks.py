"""Signed webhooks: what is sent, and how often."""

import asyncio
import hashlib
import hmac
import json
import re
from collections import Counter

from tests.emulator.conftest import WEBHOOK_SECRET, Receiver, Start


async def test_a_purchase_sends_three_signed_events(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET)
    payment = await emulator.captured()
    requests = await receiver.wait_for(3)
    events = {}
    for headers, body in requests:
        expected = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-razorpay-signature"] == expected
        assert re.fullmatch(r"[A-Za-z0-9]{14}", headers["x-razorpay-event-id"])
        assert headers["request-id"] == headers["x-razorpay-event-id"]
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"] == "Razorpay-Webhook/v1"
        assert b"\n" not in body
        assert b'": ' not in body
        event = json.loads(body)
        assert event["account_id"] == "acc_KapdaEmulator1"
        assert event["created_at"] == 1_750_000_000
        events[event["event"]] = event
    assert len({headers["x-razorpay-event-id"] for headers, _ in requests}) == 3
    assert set(events) == {"payment.authorized", "payment.captured", "order.paid"}
    assert events["payment.authorized"]["payload"]["payment"]["entity"]["status"] == "authorized"
    assert events["payment.captured"]["contains"] == ["payment"]
    captured = events["payment.captured"]["payload"]["payment"]["entity"]
    assert {name: captured[name] for name in payment} == payment
    assert captured["base_amount"] == 50_000
    assert events["order.paid"]["contains"] == ["payment", "order"]
    assert events["order.paid"]["payload"]["order"]["entity"]["status"] == "paid"


async def test_failures_and_refunds_are_announced(start: Start, receiver: Receiver) -> None:
    emulator = await start(
        webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, refunds_stay_pending=True, auto_capture=True
    )
    order = await emulator.order()
    await emulator.pay(order, outcome="failure", method="card")
    await emulator.pay(order)
    payment = (await emulator.call("GET", f"/v1/orders/{order['id']}/payments"))["items"][1]
    for ending in ("process", "fail"):
        refund = await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
        await emulator.call("POST", f"/emulator/refunds/{refund['id']}/{ending}")
    bodies = [json.loads(body) for _, body in await receiver.wait_for(8)]
    assert Counter(event["event"] for event in bodies) == {
        "payment.failed": 1,
        "payment.authorized": 1,
        "payment.captured": 1,
        "order.paid": 1,
        "refund.created": 2,
        "refund.processed": 1,
        "refund.failed": 1,
    }
    failed = next(event for event in bodies if event["event"] == "payment.failed")
    assert failed["payload"]["payment"]["entity"]["card"]["entity"] == "card"
    refunded = next(event for event in bodies if event["event"] == "refund.processed")
    assert refunded["contains"] == ["refund", "payment"]


async def test_slashes_and_letters_beyond_ascii_are_escaped(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET)
    await emulator.pay(await emulator.order(notes={"address": "14/2 गली"}), outcome="success")
    bodies = [body for _, body in await receiver.wait_for(3)]
    paid = next(body for body in bodies if b"order.paid" in body)
    assert b"14\\/2 \\u0917" in paid
    assert json.loads(paid)["payload"]["order"]["entity"]["notes"] == {"address": "14/2 गली"}


async def test_a_failing_receiver_is_retried_with_doubling_waits_and_the_same_bytes(
    start: Start, receiver: Receiver
) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET)
    receiver.script = [500, 400, 302, 204]
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    await emulator.advance(60)
    requests = await receiver.wait_for(4)
    assert len({headers["x-razorpay-event-id"] for headers, _ in requests}) == 1
    assert len({body for _, body in requests}) == 1
    (delivery,) = await emulator.settled()
    assert delivery["status"] == "delivered"
    assert [attempt["at"] - delivery["created_at"] for attempt in delivery["attempts"]] == [0, 6, 18, 42]
    assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 400, 302, 204]


async def test_after_a_day_of_failures_it_gives_up(start: Start, closed_port: int) -> None:
    emulator = await start(webhook_url=f"http://127.0.0.1:{closed_port}/hook", webhook_secret=WEBHOOK_SECRET)
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    await emulator.advance(24 * 60 * 60)
    (delivery,) = await emulator.settled()
    assert delivery["status"] == "given_up"
    assert len(delivery["attempts"]) == 14
    assert delivery["attempts"][-1]["at"] == delivery["created_at"] + 6 * (2**13 - 1)
    assert {attempt["error"] for attempt in delivery["attempts"]} == {"ConnectionRefusedError"}


async def test_an_answer_that_comes_too_late_is_retried(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, webhook_timeout=0.2)
    receiver.delay = 0.4
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    await receiver.wait_for(1)
    receiver.delay = 0.0
    await emulator.advance(60)
    (delivery,) = await emulator.settled()
    assert delivery["status"] == "delivered"
    assert delivery["attempts"][0]["error"] == "no answer in time"


async def test_one_slow_delivery_does_not_hold_up_the_others(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, retry_window=1)
    receiver.script = [500]
    for _ in range(3):
        await emulator.pay(await emulator.order(), outcome="authorize_only")
    deliveries = await emulator.settled()
    assert Counter(delivery["status"] for delivery in deliveries) == {"delivered": 2, "given_up": 1}


async def test_a_past_event_is_replayed_with_its_id_and_bytes(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET)
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    (headers, body), *_ = await receiver.wait_for(1)
    event_id = headers["x-razorpay-event-id"]
    await emulator.settled()
    await emulator.call("PUT", "/emulator/webhooks", {"secret": "a newer secret"})
    await emulator.call("POST", "/emulator/deliveries/replay", {"event_id": event_id})
    again = (await receiver.wait_for(2))[1]
    assert again[1] == body
    assert again[0]["x-razorpay-event-id"] == event_id
    assert again[0]["x-razorpay-signature"] == headers["x-razorpay-signature"]
    assert (await emulator.refused("POST", "/emulator/deliveries/replay", {"event_id": "unknown"}))[0] == 400


async def test_webhooks_are_switched_off_and_on_and_get_a_new_secret(start: Start, receiver: Receiver) -> None:
    emulator = await start()
    await emulator.captured()
    assert (await emulator.refused("PUT", "/emulator/webhooks", {"enabled": True}))[0] == 400
    assert (await emulator.refused("PUT", "/emulator/webhooks", {"url": "ftp://x"}))[1]["field"] == "url"
    settings = {"url": receiver.url, "secret": "new", "enabled": True}
    assert await emulator.call("PUT", "/emulator/webhooks", settings) == {"url": receiver.url, "enabled": True}
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    headers, body = (await receiver.wait_for(1))[0]
    assert headers["x-razorpay-signature"] == hmac.new(b"new", body, hashlib.sha256).hexdigest()
    await emulator.call("PUT", "/emulator/webhooks", {"enabled": False})
    await emulator.captured()
    assert (await emulator.call("GET", "/emulator/deliveries"))["count"] == 1


async def test_only_so_many_finished_deliveries_are_remembered(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, kept_deliveries=2)
    await emulator.captured()
    await receiver.wait_for(3)
    async with asyncio.timeout(5):
        while (await emulator.call("GET", "/emulator/deliveries"))["count"] != 2:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.01)
