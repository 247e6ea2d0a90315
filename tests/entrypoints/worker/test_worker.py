"""The worker with a real queue, a real sweep and a real stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.adapters.pgqueuer.runner import JobRunner
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.retention import PostgresRetention
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.event_stream import STREAM, RedisEventStream
from kapda.adapters.system.clock import SystemClock
from kapda.domain.ops.use_cases.relay_events import RelayEvents
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.orders.use_cases.wake_due_work import WakeDueWork
from kapda.domain.payments.gateway_event import ReceivedEvent
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.jobs import Job
from kapda.entrypoints.http.operations import Probe
from kapda.entrypoints.worker.handlers import JobHandler
from kapda.entrypoints.worker.worker import RunsJobs, WorkerUseCases, run_worker
from tests.waiting import until

CommandT = TypeVar("CommandT")
EVENT = UUID(int=0xE1)
CHECKOUT = UUID(int=0xC1)
ORDER = UUID(int=0x0D1)


@dataclass
class Remembers(Generic[CommandT]):
    """A use case that remembers its commands."""

    commands: list[CommandT] = field(default_factory=list)
    error: Exception | None = None

    async def execute(self, command: CommandT, /) -> None:
        self.commands.append(command)
        if self.error is not None:
            raise self.error


class Bench:
    """What a worker needs: real where it is about rows, remembering where it is about money."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.database_url = database_url
        self.engine: AsyncEngine = make_engine(database_url)
        self.notifier = JobNotifier(self.engine)
        self.redis = make_client(redis_url)
        self.processed: Remembers[ProcessGatewayEventCommand] = Remembers()
        self.settled: Remembers[SettleCheckoutCommand] = Remembers()
        self.use_cases = WorkerUseCases(
            process_gateway_event=self.processed,
            settle_checkout=self.settled,
            relay_events=RelayEvents(self.unit_of_work, RedisEventStream(self.redis), SystemClock()),
            wake_due_work=WakeDueWork(self.unit_of_work, SystemClock()).execute,
            prune=PostgresRetention(self.engine).prune,
        )

    def unit_of_work(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.engine, self.notifier.notify)

    def runner(self, handlers: Mapping[Job, JobHandler]) -> RunsJobs:
        return JobRunner(self.database_url, handlers, heartbeat_timeout=timedelta(seconds=2))

    @asynccontextmanager
    async def working(
        self,
        *,
        make_runner: Callable[[Mapping[Job, JobHandler]], RunsJobs] | None = None,
        probes: Mapping[str, Probe] | None = None,
        sweep_seconds: float = 60.0,
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A worker at work, and a client of its HTTP."""
        address = f"127.0.0.1:{free_port()}"
        stop = asyncio.Event()
        task = asyncio.create_task(
            run_worker(
                self.use_cases,
                make_runner or self.runner,
                probes=probes or {},
                registry=CollectorRegistry(),
                address=address,
                stop=stop,
                sweep_seconds=sweep_seconds,
            )
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
                yield client
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)

    async def has_streamed(self, count: int) -> bool:
        return await self.redis.xlen(STREAM) == count

    async def has_no_jobs(self) -> bool:
        async with self.engine.connect() as connection:
            return not await connection.scalar(text("SELECT count(*) FROM pgqueuer"))

    async def close(self) -> None:
        await self.notifier.aclose()
        await self.redis.aclose()
        await self.engine.dispose()


@pytest.fixture
async def bench(database_url: str, redis_url: str) -> AsyncIterator[Bench]:
    bench = Bench(database_url, redis_url)
    yield bench
    await bench.close()


async def until_answered(client: httpx.AsyncClient) -> httpx.Response:
    """What readiness says as soon as anybody listens."""
    answers: list[httpx.Response] = []

    async def answered() -> bool:
        with suppress(httpx.ConnectError):
            answers.append(await client.get("/api/ready"))
        return answers != []

    await until(answered)
    return answers[0]


async def until_ready(client: httpx.AsyncClient) -> None:
    async def ready() -> bool:
        return (await until_answered(client)).status_code == 200

    await until(ready)


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


async def test_a_rollback_sends_nothing(bench: Bench) -> None:
    async with bench.working(sweep_seconds=0.1) as client:
        await until_ready(client)
        async with bench.unit_of_work() as uow:
            await uow.outbox.add(DomainEvent("order", ORDER, "order.placed", SystemClock().now(), {}))
        await asyncio.sleep(0.5)
    assert await bench.redis.xlen(STREAM) == 0


async def test_the_sweep_finds_what_lost_its_wake_up(bench: Bench) -> None:
    async with bench.unit_of_work() as uow:
        received = ReceivedEvent("TestEvent00001", "key", "payment.captured", "pay_1", "order_1", b"{}")
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
    bench.use_cases = replace(whole, relay_events=broken)
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
