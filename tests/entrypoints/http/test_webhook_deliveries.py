"""Deliveries that are Razorpay's: stored once, with their job, before the answer."""

import asyncio

import httpx
import orjson
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.entrypoints.http.conftest import OLD_SECRET, PATH, SECRET, Delivery, RunShim, Shim, captured

JOB = ("process_gateway_event", "queued")


async def test_a_delivery_is_stored_with_its_job_before_the_answer(shim: Shim) -> None:
    answer = await shim.deliver(captured())
    assert answer.status_code == 200
    assert await shim.events() == [("TestEvent00001", "payment.captured", "pending")]
    assert await shim.jobs() == [JOB]
    assert await shim.counted("accepted") == 1


async def test_the_bytes_are_kept_as_they_came(shim: Shim) -> None:
    body = captured().body.replace(b'"event":', b'"event" :  ')
    await shim.deliver(Delivery(body, "TestEvent00001"))
    assert await shim.rows("SELECT body FROM gateway_events") == [(body,)]


async def test_the_versioned_path_is_the_same_door(shim: Shim) -> None:
    delivery = captured()
    answer = await shim.client.post("/api/v1/payments/webhook", content=delivery.body, headers=delivery.headers())
    assert answer.status_code == 200
    assert len(await shim.events()) == 1


async def test_an_unknown_event_is_stored_and_left_alone(shim: Shim) -> None:
    answer = await shim.deliver(captured(event="payment.teleported"))
    assert answer.status_code == 200
    assert await shim.events() == [("TestEvent00001", "payment.teleported", "ignored")]
    assert await shim.jobs() == []
    assert await shim.counted("ignored") == 1


async def test_parallel_deliveries_of_one_event_leave_one_row_and_one_job(shim: Shim) -> None:
    answers = await asyncio.gather(*(shim.deliver(captured()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await shim.events()) == 1
    assert await shim.jobs() == [JOB]


async def test_the_same_fact_under_another_event_id_is_the_same_event(shim: Shim) -> None:
    """The event id is not signed: whoever recorded a delivery can send it again under a new one."""
    await shim.deliver(captured(event_id="TestEvent00001"))
    answer = await shim.deliver(captured(event_id="TestEvent00002"))
    assert answer.status_code == 200
    assert len(await shim.events()) == 1


async def test_two_payments_under_one_event_type_are_two_events(shim: Shim) -> None:
    await shim.deliver(captured("pay_TestPayment001", "TestEvent00001"))
    await shim.deliver(captured("pay_TestPayment002", "TestEvent00002"))
    assert len(await shim.events()) == 2
    assert await shim.jobs() == [JOB, JOB]


async def test_a_duplicate_of_a_pending_event_wakes_it_again(shim: Shim) -> None:
    await shim.deliver(captured())
    async with shim.engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
    await shim.deliver(captured())
    assert await shim.jobs() == [JOB]


async def test_a_duplicate_of_a_processed_event_wakes_nothing(shim: Shim) -> None:
    await shim.deliver(captured())
    async with shim.engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
        await connection.execute(text("UPDATE gateway_events SET state = 'processed', next_attempt_at = NULL"))
    assert (await shim.deliver(captured())).status_code == 200
    assert await shim.jobs() == []


async def test_the_old_secret_is_good_while_it_is_listed_and_no_longer(run_shim: RunShim) -> None:
    async with run_shim(secrets=(SECRET, OLD_SECRET)) as during:
        assert (await during.deliver(captured(), SECRET)).status_code == 200
        assert (await during.deliver(captured("pay_2", "TestEvent00002"), OLD_SECRET)).status_code == 200
    async with run_shim(secrets=(SECRET,)) as after:
        assert (await after.deliver(captured("pay_3", "TestEvent00003"), OLD_SECRET)).status_code == 400
        assert len(await after.events()) == 2


async def test_the_log_line_names_the_event_and_holds_neither_body_nor_signature(shim: Shim) -> None:
    delivery = captured(event_id="TestEvent00001")
    with capture_logs() as lines:
        answer = await shim.client.post(
            PATH, content=delivery.body, headers={**delivery.headers(), "x-request-id": "given-by-the-edge"}
        )
    assert answer.headers["x-request-id"] == "given-by-the-edge"
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == PATH
    assert line["status"] == 200
    assert line["outcome"] == "accepted"
    assert line["event_type"] == "payment.captured"
    written = orjson.dumps(lines).decode()
    assert delivery.headers()["x-razorpay-signature"] not in written
    assert "pay_TestPayment001" not in written


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space and more", "ünïcode-id"])
async def test_a_request_id_that_is_none_is_replaced(shim: Shim, given: str) -> None:
    answer = await shim.client.get("/api/health", headers=httpx.Headers({"x-request-id": given}, encoding="utf-8"))
    assert len(answer.headers["x-request-id"]) == 36
