"""Webhooks that are lost, doubled, late, out of order or signed with yesterday's secret."""

import hashlib
import hmac
import json
from collections import Counter

from tests.emulator.conftest import WEBHOOK_SECRET, Emulator, Receiver, Start

DAY = 24 * 60 * 60
PURCHASE = ["payment.authorized", "payment.captured", "order.paid"]


def came(receiver: Receiver) -> list[str]:
    """The events in the order of their coming."""
    return [json.loads(body)["event"] for _, body in receiver.requests]


async def posting(start: Start, receiver: Receiver) -> Emulator:
    # One at a time, so that the order of coming is the order of sending.
    made: Emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, webhook_concurrency=1)
    return made


async def test_a_dropped_event_never_comes_but_can_be_replayed(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_drop", "event": "payment.captured"})
    await emulator.captured()
    await emulator.advance(DAY)
    assert came(receiver) == ["payment.authorized", "order.paid"]
    (dropped,) = [found for found in await emulator.settled() if found["status"] == "dropped"]
    assert (dropped["event"], dropped["attempts"]) == ("payment.captured", [])
    await emulator.call("POST", "/emulator/deliveries/replay", {"event_id": dropped["event_id"]})
    await emulator.settled()
    assert came(receiver)[-1] == "payment.captured"


async def test_a_duplicated_event_comes_again_with_its_id_and_bytes(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_duplicate", "event": "order.*", "copies": 2})
    await emulator.captured()
    await emulator.settled()
    assert Counter(came(receiver)) == {"payment.authorized": 1, "payment.captured": 1, "order.paid": 3}
    paid = [(headers, body) for headers, body in receiver.requests if b"order.paid" in body]
    assert len({(headers["x-razorpay-event-id"], body) for headers, body in paid}) == 1


async def test_a_duplicate_may_come_much_later(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_duplicate", "event": "payment.authorized", "after_seconds": 3600})
    await emulator.captured()
    await emulator.settled()
    assert came(receiver) == PURCHASE
    await emulator.advance(3600)
    assert came(receiver) == [*PURCHASE, "payment.authorized"]


async def test_a_delayed_event_comes_late_and_its_retries_later(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_delay", "event": "payment.captured", "seconds": 100})
    await emulator.captured()
    await emulator.advance(99)
    assert came(receiver) == ["payment.authorized", "order.paid"]
    receiver.script = [500]
    await emulator.advance(10)
    assert came(receiver) == ["payment.authorized", "order.paid", "payment.captured", "payment.captured"]
    late = next(found for found in await emulator.settled() if found["event"] == "payment.captured")
    assert [attempt["at"] - late["created_at"] for attempt in late["attempts"]] == [100, 106]


async def test_a_reordered_event_lets_later_ones_pass(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    for behind in (1, 2):
        receiver.requests.clear()
        await emulator.arm({"kind": "webhook_reorder", "event": "payment.authorized", "behind": behind})
        await emulator.captured()
        await emulator.settled()
        assert Counter(came(receiver)) == Counter(PURCHASE)
        assert "payment.authorized" not in came(receiver)[:behind]


async def test_a_reordered_event_that_nobody_passes_comes_in_the_end(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_reorder", "event": "order.paid", "at_most_seconds": 60})
    await emulator.captured()
    await emulator.advance(59)
    assert came(receiver) == PURCHASE[:2]
    await emulator.advance(1)
    assert came(receiver) == PURCHASE


async def test_events_after_a_rotation_are_signed_with_the_old_secret(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    await emulator.arm({"kind": "webhook_old_secret", "event": "payment.captured"})
    secrets = []
    for _ in range(2):
        receiver.requests.clear()
        await emulator.captured()
        await emulator.settled()
        for headers, body in receiver.requests:
            signed = {
                secret
                for secret in (WEBHOOK_SECRET, "a newer secret")
                if hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() == headers["x-razorpay-signature"]
            }
            secrets.append((json.loads(body)["event"], *signed))
        await emulator.call("PUT", "/emulator/webhooks", {"secret": "a newer secret"})
    assert sorted(secrets[:3]) == sorted((event, WEBHOOK_SECRET) for event in PURCHASE)
    assert sorted(secrets[3:]) == [
        ("order.paid", "a newer secret"),
        ("payment.authorized", "a newer secret"),
        ("payment.captured", WEBHOOK_SECRET),
    ]


async def test_a_day_without_webhooks_loses_its_events_for_good(start: Start, receiver: Receiver) -> None:
    emulator = await posting(start, receiver)
    receiver.script = [500, 500, 500]
    await emulator.captured()
    await emulator.settled()
    receiver.requests.clear()
    await emulator.arm({"kind": "webhooks_off", "for_seconds": DAY})
    await emulator.captured()
    await emulator.advance(DAY - 1)
    assert came(receiver) == []
    assert [found["status"] for found in await emulator.settled()] == ["stopped"] * 3
    await emulator.advance(1)
    await emulator.captured()
    await emulator.settled()
    assert came(receiver) == PURCHASE
