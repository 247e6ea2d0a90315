"""A shim on real HTTP and a real database, and deliveries as Razorpay sends them."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.razorpay.signatures import HmacWebhookSignatures
from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEvent
from kapda.entrypoints.http.server import serving_http
from kapda.entrypoints.http.webhooks import create_webhooks_app

ACCOUNT = "acc_TestAccount001"
SECRET = "the secret in use"
OLD_SECRET = "the secret before"
PATH = "/api/payments/webhook"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery; `headers` are the two that matter."""

    body: bytes
    event_id: str

    def headers(self, secret: str = SECRET) -> dict[str, str]:
        signature = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return {"x-razorpay-signature": signature, "x-razorpay-event-id": self.event_id}


def captured(payment: str = "pay_TestPayment001", event_id: str = "TestEvent00001", **others: object) -> Delivery:
    """A `payment.captured`."""
    entity = {"id": payment, "order_id": "order_TestOrder0001", "status": "captured"}
    event = {"entity": "event", "account_id": ACCOUNT, "event": "payment.captured", "contains": ["payment"]}
    document = {**event, "payload": {"payment": {"entity": entity}}, **others}
    return Delivery(orjson.dumps(document), event_id)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@dataclass(frozen=True, slots=True)
class Shim:
    """A client of a running shim, and the rows behind it."""

    client: httpx.AsyncClient
    engine: AsyncEngine

    async def deliver(self, delivery: Delivery, secret: str = SECRET) -> httpx.Response:
        return await self.client.post(PATH, content=delivery.body, headers=delivery.headers(secret))

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def events(self) -> list[tuple[object, ...]]:
        return await self.rows("SELECT event_id, event_type, state FROM gateway_events ORDER BY received_at")

    async def jobs(self) -> list[tuple[object, ...]]:
        return await self.rows("SELECT entrypoint, status FROM pgqueuer ORDER BY id")

    async def counted(self, outcome: str) -> float:
        metrics = (await self.client.get("/metrics")).text
        line = f'kapda_webhook_deliveries_total{{outcome="{outcome}"}} '
        return float(next(found for found in metrics.splitlines() if found.startswith(line)).removeprefix(line))


RunShim = Callable[..., AbstractAsyncContextManager[Shim]]


@pytest.fixture
def run_shim(engine: AsyncEngine) -> RunShim:
    """Runs a shim on a free port; with other secrets, senders, patience or database where the test says so."""

    @asynccontextmanager
    async def run(
        *,
        secrets: Sequence[str] = (SECRET,),
        allowed_senders: Sequence[str] = (),
        answer_seconds: float = 3.0,
        database: AsyncEngine | None = None,
    ) -> AsyncIterator[Shim]:
        own = database or engine
        use_case = ReceiveGatewayEvent(
            unit_of_work=lambda: PostgresUnitOfWork(own),
            signatures=HmacWebhookSignatures(secrets),
            clock=SystemClock(),
            ids=Uuid7Generator(),
            account_id=ACCOUNT,
        )
        app = create_webhooks_app(
            use_case,
            {},
            registry=CollectorRegistry(),
            allowed_senders=allowed_senders,
            answer_seconds=answer_seconds,
        )
        async with (
            serving_http(app, "127.0.0.1:0") as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
        ):
            yield Shim(client, engine)

    return run


@pytest.fixture
async def shim(run_shim: RunShim) -> AsyncIterator[Shim]:
    async with run_shim() as running:
        yield running
