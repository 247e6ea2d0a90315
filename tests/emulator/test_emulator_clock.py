"""A clock that is moved by hand, and what falls due on the way."""

import json

from kapda.emulator.clock import StillClock
from kapda.emulator.timeline import Timeline
from tests.emulator.conftest import WEBHOOK_SECRET, Emulator, Json, Receiver, Start

DAY = 24 * 60 * 60


async def nothing() -> None:
    """Nothing is under way."""


async def test_what_is_due_happens_in_order_and_at_its_own_time() -> None:
    timeline = Timeline(StillClock(1000))
    seen: list[tuple[str, float]] = []

    def note(what: str) -> None:
        seen.append((what, timeline.now()))

    timeline.after(30, lambda: note("third"))
    timeline.after(10, lambda: note("first"))
    timeline.after(10, lambda: note("second"))
    timeline.after(10, lambda: timeline.after(5, lambda: note("planned by another")))
    timeline.after(0, lambda: note("at once"))
    await timeline.advance(20, nothing)
    assert seen == [("at once", 1000), ("first", 1010), ("second", 1010), ("planned by another", 1015)]
    assert timeline.now() == 1020
    await timeline.advance(10, nothing)
    assert seen[4:] == [("third", 1030)]
    timeline.close()


async def test_real_time_counts_too(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET, retry_base=0.05, real_clock=True)
    receiver.script = [500]
    await emulator.pay(await emulator.order(), outcome="authorize_only")
    await receiver.wait_for(2)


async def test_entities_are_dated_by_the_moved_clock(emulator: Emulator) -> None:
    before = await emulator.order()
    assert await emulator.call("GET", "/emulator/clock") == {"now": 1_750_000_000.0}
    assert await emulator.call("POST", "/emulator/clock", {"advance_seconds": DAY}) == {"now": 1_750_086_400.0}
    assert (await emulator.order())["created_at"] == before["created_at"] + DAY


async def test_the_clock_never_goes_back(emulator: Emulator) -> None:
    assert (await emulator.refused("POST", "/emulator/clock", {"advance_seconds": -1}))[0] == 400
    assert (await emulator.refused("POST", "/emulator/clock", {}))[0] == 400
    assert await emulator.call("GET", "/emulator/clock") == {"now": 1_750_000_000.0}


async def test_money_nobody_captures_goes_back_after_three_days(start: Start, receiver: Receiver) -> None:
    emulator = await start(webhook_url=receiver.url, webhook_secret=WEBHOOK_SECRET)
    held = (await emulator.pay(await emulator.order(), outcome="authorize_only"))["razorpay_payment_id"]
    taken = (await emulator.pay(await emulator.order(), outcome="authorize_only"))["razorpay_payment_id"]
    await emulator.call("POST", f"/v1/payments/{taken}/capture", {"amount": 50_000, "currency": "INR"})
    await emulator.advance(3 * DAY - 1)
    assert (await emulator.call("GET", f"/v1/payments/{held}"))["status"] == "authorized"
    await emulator.advance(1)
    payment = await emulator.call("GET", f"/v1/payments/{held}")
    assert (payment["status"], payment["captured"], payment["refund_status"]) == ("refunded", False, "full")
    assert (await emulator.call("GET", f"/v1/payments/{taken}"))["status"] == "captured"
    await emulator.settled()
    events = [json.loads(body) for _, body in receiver.requests]
    refunds = [event for event in events if event["event"].startswith("refund.")]
    assert {event["event"] for event in refunds} == {"refund.created", "refund.processed"}
    assert [event["payload"]["payment"]["entity"]["captured"] for event in refunds] == [False, False]


async def test_an_order_may_shorten_the_time_for_capturing_but_not_lengthen_it(emulator: Emulator) -> None:
    for minutes, due in ((60, 3600), (7200, 3 * DAY)):
        options = {"capture": "manual", "capture_options": {"manual_expiry_period": minutes}}
        payment_id = (await emulator.pay(await emulator.order(payment=options)))["razorpay_payment_id"]
        await emulator.advance(due - 1)
        assert (await emulator.call("GET", f"/v1/payments/{payment_id}"))["status"] == "authorized"
        await emulator.advance(1)
        assert (await emulator.call("GET", f"/v1/payments/{payment_id}"))["status"] == "refunded"


async def test_a_standing_clock_and_a_seed_make_every_run_the_same(start: Start, receiver: Receiver) -> None:
    runs: list[tuple[Json, list[bytes]]] = []
    for _ in range(2):
        receiver.requests.clear()
        emulator = await start(
            webhook_url=receiver.url,
            webhook_secret=WEBHOOK_SECRET,
            seed=5,
            clock_start=1_800_000_000.0,
            real_clock=True,
        )
        await emulator.arm(
            {"kind": "webhook_drop", "probability": 0.3},
            {"kind": "late_authorization", "probability": 0.5, "after_seconds": 90},
            {"kind": "server_error", "operation": "create_order", "probability": 0.3},
        )
        for number in range(12):
            body = {"amount": 500 + number, "currency": "INR"}
            order = (await emulator.http.post("/v1/orders", json=body)).json()
            if "error" not in order:
                await emulator.pay(order)
        await emulator.advance(DAY)
        await emulator.settled()
        runs.append((await emulator.call("GET", "/emulator/books"), sorted(body for _, body in receiver.requests)))
    assert runs[0] == runs[1]
    assert 0 < len(runs[0][0]["orders"]) < 12
