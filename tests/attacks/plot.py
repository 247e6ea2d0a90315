"""A shop in which everybody has done something of every kind, and the server before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import grpc

from kapda.domain.shared.ids import VariantId
from kapda.entrypoints.lifecycle import build_server
from tests.attacks.cast import come_back, enter, sign_up
from tests.attacks.stage import CALLERS, GUEST, NOBODY, Stage
from tests.fakes.catalog_builder import LOOM
from tests.shop.buyer import Buyer
from tests.shop.desk import faults
from tests.shop.shop import Shop


@asynccontextmanager
async def set_stage(shop: Shop) -> AsyncIterator[Stage]:
    """The server, listening, and a shop in which everybody has done something of every kind."""
    container = shop.container
    settings = container.settings().model_copy(update={"grpc_address": "127.0.0.1:0"})
    server = build_server(settings, container)
    port = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stage = Stage(shop, channel, port)
            await enter(stage)
            await _act(stage)
            yield stage
    finally:
        await server.drain()


async def _act(stage: Stage) -> None:
    """Everybody comes to know what is theirs: an order, an open checkout that is paid, a case, a refund, shelves."""
    for row in await stage.shop.sql(
        "SELECT v.id, v.sku, p.designer_id FROM variants v JOIN products p ON p.id = v.product_id ORDER BY v.id"
    ):
        house = "loom" if row["designer_id"] == LOOM.id else "press"
        stage.known.learn(house, "sku", row["sku"])
        for caller in set(CALLERS) - {"loom", "press"} | {house}:
            stage.known.learn(caller, "variant_id", str(row["id"]))
    for caller in ("asha", "ravi"):
        await buy(stage, caller)
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


async def newcomers_buy(stage: Stage) -> None:
    """Both customers begin anew, with accounts that owe nothing and orders that nobody has touched."""
    # Some request of another's may have signed the admin out, who signs the refunds.
    await come_back(stage, "admin")
    for caller in ("asha", "ravi"):
        stage.known.forget(caller, but=frozenset({"variant_id"}))
        await sign_up(stage, caller)
        await come_back(stage, caller)
        await buy(stage, caller)


async def buy(stage: Stage, caller: str) -> None:
    """An order of which a piece comes back, and a checkout that is paid and not placed yet."""
    (variant, *_) = stage.known.of(caller, "variant_id")
    buyer = stage.buyer(caller)
    order = await buyer.buys(VariantId(UUID(variant)), 3)
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
    checkout = await buyer.checks_out_one(VariantId(UUID(variant)))
    for name, value in (await buyer.pay(checkout)).items():
        stage.known.learn(caller, name, value)
    await stage.ask("GetCheckout", caller, checkout_id=str(checkout.id))
    await stage.ask("GetCart", caller)


async def _open_a_case(stage: Stage) -> None:
    """Somebody paid a wrong amount, which only a person can decide."""
    buyer = Buyer(stage.shop, await stage.shop.customer())
    checkout = await buyer.checks_out_one(VariantId(UUID(stage.known.of("asha", "variant_id")[0])))
    async with faults(stage.shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
        await buyer.pay(checkout)
    await stage.shop.door().sweep_recent_payments().execute()
