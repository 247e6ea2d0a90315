"""The worker at work: jobs, sweeps, events, health."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest
import structlog
from sqlalchemy import text

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.event_stream import STREAM, RedisEventStream
from kapda.adapters.system.clock import SystemClock
from kapda.domain.notifications.mail import MailOutcome, MailState
from kapda.domain.ops.use_cases.relay_events import RelayEvents
from kapda.domain.orders.use_cases.sweep_recent_payments import AccountSweep
from kapda.domain.payments.gateway_event import ReceivedEvent
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import MailId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.mails import MailKind, MailRequest
from tests.entrypoints.worker.conftest import CHECKOUT, EVENT, ORDER, Bench, until_answered, until_ready
from tests.waiting import until


async def test_each_kind_of_job_reaches_its_use_case(bench: Bench) -> None:
    async with bench.working() as client:
        await until_ready(client)
        async with bench.unit_of_work() as uow:
            await uow.jobs.wake(Job.PROCESS_GATEWAY_EVENT, EVENT)
            await uow.jobs.wake(Job.SETTLE_CHECKOUT, CHECKOUT)
            await uow.commit()
        await until(lambda: bool(bench.processed.commands and bench.settled.commands))
    assert [command.event for command in bench.processed.commands] == [EVENT]
    assert [command.checkout_id for command in bench.settled.commands] == [CHECKOUT]


async def test_an_event_is_in_the_stream_soon_after_its_commit(bench: Bench) -> None:
    async with bench.working() as client:
        await until_ready(client)
        started = time.monotonic()
        async with bench.unit_of_work() as uow:
            for _ in range(3):
                await uow.outbox.add(DomainEvent("order", ORDER, "order.placed", SystemClock().now(), {}))
            await uow.commit()
        await until(partial(bench.has_streamed, 3))
        assert time.monotonic() - started < 1
    entries = await bench.redis.xrange(STREAM) or []
    assert [(fields or {}).get("sequence") for _, fields in entries] == ["1", "2", "3"]


async def test_r5_webhooks_that_stay_away_are_an_error_once_and_a_number_to_alert_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kapda.entrypoints.worker.worker.SILENCE_SECONDS", 0.01)

    async def told(client: httpx.AsyncClient, seconds: float) -> bool:
        return f"kapda_webhook_silence_seconds {seconds}" in (await client.get("/metrics")).text

    with structlog.testing.capture_logs() as lines:
        async with bench.working() as client:
            await until_ready(client)
            for seconds in (0.0, 899.0, 900.0, 1200.0, 0.0, 1500.0):
                bench.silence = timedelta(seconds=seconds)
                await until(partial(told, client, seconds))
    told_of = [(line["event"], line["log_level"], line.get("minutes")) for line in lines if "webhooks" in line["event"]]
    assert told_of == [
        ("no webhooks while payments come in", "error", 15),
        ("webhooks come again", "info", None),
        ("no webhooks while payments come in", "error", 25),
    ]


async def test_how_far_the_account_was_read_is_a_number_and_far_behind_is_an_error(bench: Bench) -> None:
    behind = datetime.now(UTC) - timedelta(minutes=61)
    bench.sweep = AccountSweep(found=3, read_through=behind)

    with structlog.testing.capture_logs() as lines:
        async with bench.working() as client:

            async def told() -> bool:
                return "kapda_swept_payments_total 3.0" in (await client.get("/metrics")).text

            await until_ready(client)
            await until(told)
            metrics = (await client.get("/metrics")).text
    (through,) = re.findall(r"^kapda_payments_read_through_timestamp_seconds (\S+)$", metrics, re.MULTILINE)
    assert float(through) == pytest.approx(behind.timestamp())
    (line,) = [line for line in lines if line["event"] == "payments are read far behind"]
    assert (line["log_level"], line["minutes"]) == ("error", 61)


async def test_mails_are_looked_for_at_their_commit_and_what_came_of_them_is_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kapda.entrypoints.worker.worker.MAIL_SECONDS", 3600.0)
    async with bench.working() as client:
        await until_ready(client)
        bench.mailed = [MailOutcome(MailId(UUID(int=1)), MailKind.ORDER_PLACED, MailState.SENT)]
        looks = bench.looks_at_mails
        async with bench.unit_of_work() as uow:
            await uow.mails.queue(
                MailRequest.to_address(UUID(int=1), MailKind.UNLOCK, "asha@example.in", SystemClock().now())
            )
            await uow.commit()
        await until(lambda: bench.looks_at_mails > looks)

        async def counted() -> bool:
            return 'kapda_mails_total{kind="order_placed",state="sent"}' in (await client.get("/metrics")).text

        await until(counted)


async def test_mails_whose_wake_up_was_lost_are_looked_for_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kapda.entrypoints.worker.worker.MAIL_SECONDS", 0.05)
    async with bench.working() as client:
        await until_ready(client)
        await until(lambda: bench.looks_at_mails > 5)


async def test_a_rollback_sends_nothing(bench: Bench) -> None:
    async with bench.working(sweep_seconds=0.1) as client:
        await until_ready(client)
        async with bench.unit_of_work() as uow:
            await uow.outbox.add(DomainEvent("order", ORDER, "order.placed", SystemClock().now(), {}))
        await asyncio.sleep(0.5)
    assert await bench.redis.xlen(STREAM) == 0


async def test_the_sweep_finds_what_lost_its_wake_up(bench: Bench) -> None:
    async with bench.unit_of_work() as uow:
        received = ReceivedEvent("TestEvent00001", "key", "payment.captured", "pay_1", "order_1", None, b"{}")
        await uow.gateway_events.store(EVENT, received, SystemClock().now())
        await uow.outbox.add(DomainEvent("order", ORDER, "order.placed", SystemClock().now(), {}))
        await uow.commit()
    async with bench.engine.begin() as connection:
        await connection.execute(text("DELETE FROM pgqueuer"))
    async with bench.working(sweep_seconds=0.2) as client:
        await until_ready(client)
        await until(lambda: bench.processed.commands != [])
        await until(partial(bench.has_streamed, 1))


async def test_a_job_that_fails_is_gone_and_its_subject_can_be_woken_again(bench: Bench) -> None:
    bench.settled.error = ValueError("boom")
    async with bench.working() as client:
        await until_ready(client)
        for times in (1, 2):
            async with bench.unit_of_work() as uow:
                await uow.jobs.wake(Job.SETTLE_CHECKOUT, CHECKOUT)
                await uow.commit()
            await until(bench.has_no_jobs)
            assert len(bench.settled.commands) == times
        metrics = (await client.get("/metrics")).text
        assert 'kapda_jobs_total{job="settle_checkout",outcome="failed"} 2.0' in metrics


async def test_not_ready_while_no_jobs_are_taken_or_a_dependency_is_away(bench: Bench) -> None:
    class Idle:
        is_running = False

        async def run(self, stop: asyncio.Event) -> None:
            await stop.wait()

    async def away() -> bool:
        return False

    async with bench.working(make_runner=lambda _: Idle(), probes={"database": away}) as client:
        answer = await until_answered(client)
        assert answer.status_code == 503
        assert answer.json()["error"]["message"] == "not ready: database, jobs"
        assert (await client.get("/api/health")).status_code == 200
        assert (await client.get("/nowhere")).json()["error"]["code"] == "NOT_FOUND"


async def test_a_redis_that_is_down_delays_events_and_loses_none(bench: Bench, redis_url: str) -> None:
    nowhere = make_client(f"redis://127.0.0.1:{free_port()}")
    whole = bench.use_cases
    broken = RelayEvents(bench.unit_of_work, RedisEventStream(nowhere), SystemClock())
    bench.use_cases = replace(whole, relay_events=broken.execute)
    async with bench.working(sweep_seconds=0.1) as client:
        await until_ready(client)
        async with bench.unit_of_work() as uow:
            await uow.outbox.add(DomainEvent("order", ORDER, "order.placed", SystemClock().now(), {}))
            await uow.commit()
        await asyncio.sleep(0.5)
    bench.use_cases = whole
    async with bench.working(sweep_seconds=0.1):
        await until(partial(bench.has_streamed, 1))
    assert await bench.redis.xlen(STREAM) == 1
    await nowhere.aclose()
