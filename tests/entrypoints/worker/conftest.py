"""A worker with a real queue, a real sweep and a real stream, and use cases about money that only remember."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.pgqueuer.listener import JobListener
from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.adapters.pgqueuer.runner import JobRunner
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.retention import PostgresRetention
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.event_stream import STREAM, RedisEventStream
from kapda.adapters.system.clock import SystemClock
from kapda.domain.cart.use_cases.expire_carts import ExpireCarts
from kapda.domain.notifications.mail import MailOutcome
from kapda.domain.ops.use_cases.relay_events import RelayEvents
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.orders.use_cases.sweep_recent_payments import AccountSweep
from kapda.domain.orders.use_cases.wake_due_work import WakeDueWork
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
        self.sent: Remembers[SendRefundCommand] = Remembers()
        self.looks_at_mails = 0
        self.mailed: Sequence[MailOutcome] = ()
        self.silence = timedelta(0)
        self.sweep = AccountSweep(found=0, read_through=datetime.now(UTC))
        self.use_cases = WorkerUseCases(
            webhook_silence=self.measure_silence,
            process_gateway_event=self.processed,
            settle_checkout=self.settled,
            send_refund=self.sent,
            send_mails=self.look_at_mails,
            sweep_recent_payments=self.look_at_the_account,
            relay_events=RelayEvents(self.unit_of_work, RedisEventStream(self.redis), SystemClock()).execute,
            wake_due_work=WakeDueWork(self.unit_of_work, SystemClock()).execute,
            prune=PostgresRetention(self.engine).prune,
            expire_carts=ExpireCarts(self.unit_of_work, SystemClock()).execute,
        )

    async def measure_silence(self) -> timedelta:
        return self.silence

    async def look_at_the_account(self) -> AccountSweep:
        return self.sweep

    async def look_at_mails(self) -> Sequence[MailOutcome]:
        self.looks_at_mails += 1
        return self.mailed

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
                JobListener(self.database_url).listen,
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
