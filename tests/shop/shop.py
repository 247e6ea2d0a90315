"""A whole shop on real parts: PostgreSQL, Valkey and the emulator over HTTP, and one or more processes' worth of wiring.

Each `Container` here is what one process has: its own pools, its own threads to the gateway. So three of them race as
three processes would, within one event loop that can release all callers at once.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from kapda.adapters.postgres.seed.records import CatalogueRecords, UserRecord
from kapda.adapters.postgres.seed.write import write_catalogue
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.ops.promises import Verdict
from kapda.domain.shared.ids import RequestId, SessionId, UserId, VariantId
from kapda.emulator import EmulatorSettings, serving
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from kapda.entrypoints.settings import Environment, Settings
from tests.fakes.catalog_builder import KURTAS, LOOM, PRESS, SAREES, CatalogueBuilder

KEY_ID, KEY_SECRET, WEBHOOK_SECRET, ACCOUNT = (
    "rzp_test_races",
    "races key secret",
    token_hex(16),
    "acc_Races000001",
)
Row = dict[str, Any]


def new_request() -> RequestId:
    """A request id nobody has used."""
    return RequestId(uuid4())


@dataclass
class Shop:
    """The shop. `containers` race; everything else goes through the first of them."""

    containers: Sequence[Container]
    http: httpx.AsyncClient
    _doors: Iterator[Container] = field(init=False)
    catalogue: CatalogueBuilder = field(default_factory=CatalogueBuilder)

    def __post_init__(self) -> None:
        self._doors = itertools.cycle(self.containers)

    @property
    def container(self) -> Container:
        """The first process."""
        return self.containers[0]

    def door(self) -> Container:
        """The processes in turn, so that neighbours never share a pool."""
        return next(self._doors)

    async def warm(self) -> None:
        """Open every pooled connection, so that a race is one from its first statement on."""
        for container in self.containers:
            for engine in (container.engine(), container.stock_engine()):
                await _fill(engine)

    async def customers(self, count: int) -> list[UserId]:
        """New customers, without the cost of a password each."""
        rows = await self.sql(
            """INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
               SELECT id, email, email, 'Asha', '-', 'customer', now(), now()
               FROM (SELECT uuidv7() AS id, uuidv7() || '@example.com' AS email FROM generate_series(1, :count)) AS u
               RETURNING id""",
            count=count,
        )
        return [UserId(row["id"]) for row in rows]

    async def customer(self) -> UserId:
        """One new customer."""
        return (await self.customers(1))[0]

    async def admin(self) -> Principal:
        """Somebody who may receive stock, and sign with a key of the same id."""
        user = UserRecord(uuid4(), f"{uuid4().hex}@example.com", "Admin", "-", "admin")
        await self._write(CatalogueRecords((user,), (), (), ()))
        await self.sql("INSERT INTO signing_keys (id, user_id, created_at) VALUES (:id, :id, now())", id=user.id)
        return Principal(UserId(user.id), Role.ADMIN, SessionId(uuid4()))

    async def variants(self, count: int, *, pieces: int = 10, rupees: int = 1_000, limit: int = 10) -> list[VariantId]:
        """New variants on sale, each a product of its own."""
        first = not self.catalogue.products
        products = [
            self.catalogue.add(
                f"Kurta {number}",
                self.catalogue.variant(received=pieces, rupees=rupees),
                max_quantity_per_line=limit,
            )
            for number in range(count)
        ]
        houses, shelves = ((LOOM, PRESS), (KURTAS, SAREES)) if first else ((), ())
        await self._write(CatalogueRecords((), houses, shelves, tuple(products)))
        return [VariantId(variant.id) for product in products for variant in product.variants]

    async def variant(self, *, pieces: int = 10, rupees: int = 1_000, limit: int = 10) -> VariantId:
        """One new variant on sale."""
        return (await self.variants(1, pieces=pieces, rupees=rupees, limit=limit))[0]

    async def _write(self, records: CatalogueRecords) -> None:
        async with self.container.engine().begin() as connection:
            await write_catalogue(connection, records, self.container.clock().now())

    async def sql(self, statement: str, **values: object) -> list[Row]:
        """Run one statement and commit; the rows it returns."""
        async with self.container.engine().begin() as connection:
            found = await connection.execute(text(statement), values)
            return [dict(row) for row in found.mappings()] if found.returns_rows else []

    async def level(self, variant_id: VariantId) -> tuple[int, int]:
        """On hand and held."""
        (row,) = await self.sql("SELECT on_hand, held FROM stock WHERE variant_id = :id", id=variant_id)
        return row["on_hand"], row["held"]

    async def count(self, among: str, **values: object) -> int:
        """How many rows there are in `among`, which may carry a WHERE."""
        (row,) = await self.sql(f"SELECT count(*) AS n FROM {among}", **values)  # noqa: S608  (a test's own text)
        return int(row["n"])

    async def books(self) -> Row:
        """Everything the gateway knows."""
        found: Row = (await self.http.get("/emulator/books")).raise_for_status().json()
        return found

    async def pay(self, gateway_order_id: str, **how: object) -> dict[str, str]:
        """Play the customer at the gateway; the signed triple."""
        answer = await self.http.post("/emulator/pay", json={"order_id": gateway_order_id, **how})
        assert answer.is_success, answer.text
        found: dict[str, str] = answer.json()
        return found

    async def check_promises(self) -> None:
        """All that is built holds, and the gateway's books are ours to the paisa."""
        report = await self.container.check_promises().execute()
        broken = [f"{r.number}: {r.evidence} {r.samples}" for r in report.results if r.verdict is not Verdict.HOLDS]
        assert not broken, broken
        books = await self.books()
        (ours,) = await self.sql("SELECT coalesce(sum(amount_minor), 0) AS captured FROM payments")
        (owed,) = await self.sql(
            """SELECT (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries WHERE account = 'gateway_receivable')
                + (SELECT coalesce(sum(refunded_minor), 0) FROM payments) AS booked"""
        )
        (foreign,) = await self.sql(
            "SELECT coalesce(sum(amount_minor), 0) AS seen FROM foreign_payments WHERE gateway_payment_id = ANY(:ids)",
            ids=[payment["id"] for payment in books["payments"] if payment["captured"]],
        )
        assert ours["captured"] == owed["booked"] == books["totals"]["captured"] - foreign["seen"]


def webhook(event: str, payment_id: str, order_id: str, status: str = "captured") -> tuple[dict[str, str], bytes]:
    """Headers and body of a delivery, signed, under an event id of its own."""
    body = json.dumps(
        {
            "entity": "event",
            "account_id": ACCOUNT,
            "event": event,
            "payload": {"payment": {"entity": {"id": payment_id, "order_id": order_id, "status": status}}},
        }
    ).encode()
    return signed(body)


def signed(body: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a delivery of that body, under an event id of its own."""
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-razorpay-signature": signature, "x-razorpay-event-id": f"evt_{uuid4().hex[:14]}"}, body


def settings_for(database_url: str, redis_url: str, gateway_url: str) -> Settings:
    """What a process of the shop would find in its environment."""
    return Settings(
        _env_file=None,
        environment=Environment.TEST,
        # All customers of all tests are at one address, and some of them are in a hurry.
        rate_auth="60000 per minute",
        rate_auth_network="60000 per minute",
        rate_caller="600000 per minute",
        rate_network="600000 per minute",
        rate_refused="600000 per minute",
        rate_refresh="60000 per minute",
        rate_expensive="60000 per minute",
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        jwt_keys=[SecretStr(f"key1:{token_hex(32)}")],
        page_token_key=SecretStr(token_hex(32)),
        signing_key=SecretStr(token_hex(32)),
        link_key=SecretStr(token_hex(32)),
        razorpay_base_url=gateway_url,
        razorpay_key_id=KEY_ID,
        razorpay_key_secret=[SecretStr(KEY_SECRET)],
        razorpay_webhook_secrets=[SecretStr(WEBHOOK_SECRET)],
        razorpay_account_id=ACCOUNT,
    )


@asynccontextmanager
async def open_shop(database_url: str, redis_url: str, processes: int = 1) -> AsyncIterator[Shop]:
    """A shop with nothing in it, whose gateway sends no webhooks by itself."""
    emulator = EmulatorSettings(key_id=KEY_ID, key_secret=KEY_SECRET, account_id=ACCOUNT)
    async with serving(emulator) as url, httpx.AsyncClient(base_url=url, timeout=20.0) as http:
        settings = settings_for(database_url, redis_url, url)
        containers = [Container(settings=settings) for _ in range(processes)]
        try:
            yield Shop(containers, http)
        finally:
            for container in containers:
                await close_container(container)


async def _fill(engine: AsyncEngine) -> None:
    assert isinstance(engine.pool, QueuePool)
    connections = [await engine.connect() for _ in range(engine.pool.size())]
    await asyncio.gather(*(connection.close() for connection in connections))
