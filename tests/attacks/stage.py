"""The real server on real parts, somebody of every kind in front of it, and eyes on all that it writes and says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf.message import Message

from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.lifecycle import build_server
from tests.attacks.contract import Method, method_named
from tests.attacks.known import Known
from tests.fakes.catalog_builder import LOOM, PRESS
from tests.shop.buyer import Buyer
from tests.shop.desk import faults
from tests.shop.shop import Shop

CALL_SECONDS = 20.0
PASSWORD = "corridor-lantern-41-peacock"
NOBODY, GUEST = "nobody", "guest"
# Two of each kind that owns something: what belongs to the one is not found by the other.
ROLES = {
    "asha": Role.CUSTOMER,
    "ravi": Role.CUSTOMER,
    "loom": Role.DESIGNER,
    "press": Role.BRAND,
    "admin": Role.ADMIN,
}
CALLERS = (NOBODY, GUEST, *ROLES)
_TABLES = """SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
             ORDER BY 1"""
_CONTENT = """SELECT '{table}' AS name, count(*) AS rows,
              md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) AS digest FROM {table} t"""


@dataclass
class Stage:
    """Everything an attack needs."""

    shop: Shop
    channel: grpc.aio.Channel
    metadata: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=lambda: {NOBODY: ()})
    users: dict[str, UserId] = field(default_factory=dict)
    known: Known = field(default_factory=Known)

    async def send(
        self,
        method: Method,
        request: bytes,
        caller: str = NOBODY,
        *,
        more: tuple[tuple[str, str | bytes], ...] = (),
        seconds: float | None = CALL_SECONDS,
    ) -> bytes:
        """The response's bytes. Raises AioRpcError."""
        call: Any = self.channel.unary_unary(method.path)
        received: bytes = await call(request, metadata=(*self.metadata[caller], *more), timeout=seconds)
        return received

    async def ask(self, method_name: str, caller: str, **fields: Any) -> Message:
        """A call that must work; what it tells is known to the caller from then on."""
        method = method_named(method_name)
        request = type(method.new_request())(**fields)
        response = method.read_response(await self.send(method, request.SerializeToString(), caller))
        self.known.learn_from(caller, response)
        return response

    def buyer(self, caller: str) -> Buyer:
        """The customer, at the use cases."""
        return Buyer(self.shop, self.users[caller])

    def allowed(self, method: Method) -> list[str]:
        """Who may call the method."""
        if method.rule.public:
            return [NOBODY]
        allowed = [name for name, role in ROLES.items() if role in method.rule.roles]
        assert allowed, f"nobody on the stage may call {method.path}: give tests/attacks/stage.py somebody who may"
        return [*allowed, GUEST] if method.rule.guests else allowed

    async def everything_written(self) -> dict[str, tuple[int, str]]:
        """Each table's number of rows and a digest of all of them."""
        tables = [row["relname"] for row in await self.shop.sql(_TABLES)]
        found = await self.shop.sql(" UNION ALL ".join(_CONTENT.format(table=table) for table in tables))
        return {row["name"]: (row["rows"], row["digest"]) for row in found}

    async def secrets(self) -> list[str]:
        """What may stand in no answer and no log line."""
        hashes = [
            row["password_hash"]
            for row in await self.shop.sql("SELECT password_hash FROM users WHERE password_hash <> '-'")
        ]
        tokens = [value.removeprefix("Bearer ") for pairs in self.metadata.values() for _, value in pairs]
        settings = self.shop.container.settings()
        given: list[Any] = [settings.database_url, settings.redis_url, settings.page_token_key]
        given += [*settings.jwt_keys, *settings.razorpay_key_secret, *settings.razorpay_webhook_secrets]
        return [PASSWORD, *hashes, *tokens, *(secret.get_secret_value() for secret in given)]


@asynccontextmanager
async def set_stage(shop: Shop) -> AsyncIterator[Stage]:
    """The server, listening, and a shop in which everybody has done something of every kind."""
    container = shop.container
    settings = container.settings().model_copy(update={"grpc_address": "127.0.0.1:0"})
    server = build_server(settings, container)
    port = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stage = Stage(shop, channel)
            await _enter(stage)
            await _act(stage)
            yield stage
    finally:
        await server.drain()


async def _enter(stage: Stage) -> None:
    """Everybody signs up, is given a role, and signs in."""
    await stage.shop.variants(4, pieces=500, limit=10)
    await stage.shop.sql(
        "UPDATE products SET designer_id = :press WHERE id IN (SELECT id FROM products ORDER BY id LIMIT 1)",
        press=PRESS.id,
    )
    for name, role in ROLES.items():
        email = f"{name}@example.com"
        signed_up: Any = await stage.ask("SignUp", NOBODY, email=email, password=PASSWORD, display_name=name)
        stage.users[name] = UserId(UUID(signed_up.user.id))
        await stage.shop.sql("UPDATE users SET role = :role WHERE email = :email", role=role.value, email=email)
        logged_in: Any = await stage.ask("LogIn", NOBODY, email=email, password=PASSWORD)
        stage.metadata[name] = (("authorization", f"Bearer {logged_in.tokens.access_token}"),)
        stage.known.learn(name, "email", email)
    for name, house in (("loom", LOOM), ("press", PRESS)):
        await stage.shop.sql(
            "INSERT INTO designer_members (designer_id, user_id, created_at) VALUES (:house, :user, now())",
            house=house.id,
            user=stage.users[name],
        )
    made: Any = await stage.ask("CreateGuestCart", NOBODY)
    stage.metadata[GUEST] = (("x-kapda-guest-cart", made.guest_token),)


async def _act(stage: Stage) -> None:
    """Everybody comes to know what is theirs: an order, an open checkout that is paid, a case, a refund, shelves."""
    for row in await stage.shop.sql(
        "SELECT v.id, v.sku, p.designer_id FROM variants v JOIN products p ON p.id = v.product_id ORDER BY v.id"
    ):
        house = "loom" if row["designer_id"] == LOOM.id else "press"
        stage.known.learn(house, "sku", row["sku"])
        for caller in (house, NOBODY, GUEST, "asha", "ravi"):
            stage.known.learn(caller, "variant_id", str(row["id"]))
    for caller in ("asha", "ravi"):
        await _buy(stage, caller)
    await _open_a_case(stage)
    for house in ("loom", "press"):
        (variant, *_) = stage.known.of(house, "variant_id")
        await stage.ask("GetStock", house, variant_id=variant)
        await stage.ask("ListStockMovements", house, variant_id=variant, page_size=1)
    await stage.ask("ListProducts", NOBODY, page_size=1)
    await stage.ask(
        "AddItem", GUEST, request_id=str(uuid4()), variant_id=stage.known.of(GUEST, "variant_id")[0], quantity=1
    )
    await stage.ask("ListOpenCases", "admin")


async def _buy(stage: Stage, caller: str) -> None:
    (variant, *_) = stage.known.of(caller, "variant_id")
    buyer = stage.buyer(caller)
    order = await buyer.buys(UUID(variant), 3)  # type: ignore[arg-type]
    await stage.ask("GetOrder", caller, order_id=str(order.id))
    await stage.ask("GetPayment", caller, payment_id=str(order.payment_id))
    await stage.ask(
        "RefundOrder",
        "admin",
        request_id=str(uuid4()),
        order_id=str(order.id),
        lines=[{"position": 1, "quantity": 1}],
        reason="torn",
    )
    await stage.ask("ListRefunds", caller, order_id=str(order.id))
    checkout = await buyer.checks_out_one(UUID(variant))  # type: ignore[arg-type]
    for name, value in (await buyer.pay(checkout)).items():
        stage.known.learn(caller, name, value)
    await stage.ask("GetCheckout", caller, checkout_id=str(checkout.id))
    await stage.ask("GetCart", caller)


async def _open_a_case(stage: Stage) -> None:
    """Somebody paid a wrong amount, which only a person can decide."""
    buyer = Buyer(stage.shop, await stage.shop.customer())
    checkout = await buyer.checks_out_one(UUID(stage.known.of("asha", "variant_id")[0]))  # type: ignore[arg-type]
    async with faults(stage.shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
        await buyer.pay(checkout)
    await stage.shop.door().sweep_recent_payments().execute()
