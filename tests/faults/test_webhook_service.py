"""The gateway's own deliveries over HTTP: to a slow database, through a change of the secret, and none for a day."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from kapda.adapters.razorpay.signatures import HmacWebhookSignatures
from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEvent
from kapda.entrypoints.http.server import serving_http
from kapda.entrypoints.http.webhooks import create_webhooks_app
from tests.shop.buyer import Buyer, new_buyer, new_buyers
from tests.shop.desk import check_books, poll
from tests.shop.shop import ACCOUNT, WEBHOOK_SECRET, Row, Shop
from tests.waiting import until

PATH = "/api/payments/webhook"
NEW_SECRET = "the secret after the change"


@asynccontextmanager
async def shim(shop: Shop, secrets: Sequence[str] = (WEBHOOK_SECRET,)) -> AsyncIterator[None]:
    """The shop's webhook listens with these secrets, and the gateway delivers to it."""
    container = shop.container
    receive = ReceiveGatewayEvent(
        unit_of_work=container.unit_of_work,
        signatures=HmacWebhookSignatures(secrets),
        clock=container.clock(),
        ids=container.ids(),
        account_id=ACCOUNT,
    )
    app = create_webhooks_app(receive, {}, registry=CollectorRegistry())
    async with serving_http(app, "127.0.0.1:0") as url:
        try:
            await _gateway(shop, url=f"{url}{PATH}", enabled=True)
            yield
        finally:
            await _gateway(shop, enabled=False)


@pytest.fixture(autouse=True)
async def _first_secret(shop: Shop) -> None:
    # The secret and an address are needed before deliveries can be switched on.
    await _gateway(shop, url=f"http://127.0.0.1:9{PATH}", secret=WEBHOOK_SECRET, enabled=False)


async def _gateway(shop: Shop, **change: object) -> None:
    (await shop.http.put("/emulator/webhooks", json=change)).raise_for_status()


async def _time_passes(shop: Shop, seconds: float) -> None:
    """At the gateway, with every delivery and redelivery that falls due."""
    (await shop.http.post("/emulator/clock", json={"advance_seconds": seconds}, timeout=60)).raise_for_status()


async def _paid(shop: Shop) -> tuple[Buyer, Checkout, str]:
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    return buyer, checkout, (await buyer.pay(checkout))["razorpay_payment_id"]


async def _inbox(shop: Shop, payment_id: str) -> list[Row]:
    return await shop.sql(
        "SELECT id, event_type FROM gateway_events WHERE gateway_payment_id = :id ORDER BY received_at", id=payment_id
    )


async def _work(shop: Shop, payment_id: str) -> None:
    for row in await _inbox(shop, payment_id):
        await shop.door().process_gateway_event().execute(ProcessGatewayEventCommand(row["id"]))


async def _attempts(shop: Shop, payment_id: str) -> list[Row]:
    items: list[Row] = (await shop.http.get("/emulator/deliveries")).json()["items"]
    return [item for item in items if payment_id in item["body"]]


async def _delivered(shop: Shop, payment_id: str) -> bool:
    items = await _attempts(shop, payment_id)
    return len(items) == 3 and all(item["status"] == "delivered" for item in items)


async def _tried(shop: Shop, payment_id: str) -> bool:
    items = await _attempts(shop, payment_id)
    return len(items) == 3 and all(item["attempts"] for item in items)


async def test_r3_with_ten_seconds_a_write_the_shim_answers_in_time_and_the_redelivery_has_one_effect(
    shop: Shop,
) -> None:
    await shop.sql(
        """CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$"""
    )
    await shop.sql("CREATE TRIGGER dawdle BEFORE INSERT ON gateway_events FOR EACH ROW EXECUTE FUNCTION dawdle()")
    async with shim(shop):
        began = time.monotonic()
        _, checkout, payment_id = await _paid(shop)
        # Waits for the gateway's first attempts to be answered, or given up after five seconds.
        await _time_passes(shop, 0.1)
        assert time.monotonic() - began < 5.0
        first = [item["attempts"][0]["status_code"] for item in await _attempts(shop, payment_id)]
        assert first == [503] * 3
        assert await _inbox(shop, payment_id) == []
        await shop.sql("DROP TRIGGER dawdle ON gateway_events")
        await _time_passes(shop, 60)
        await until(lambda: _delivered(shop, payment_id))

    await _work(shop, payment_id)
    await _work(shop, payment_id)
    assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 1
    await check_books(shop)


async def test_r4_the_old_secret_is_good_inside_the_window_and_refused_after_it(shop: Shop) -> None:
    # While webhooks are off nothing is made, so nothing will ever be sent.
    _, before, first = await _paid(shop)
    # Both secrets are listed, then the gateway is told the new one: what it has made before keeps the old one.
    async with shim(shop, (NEW_SECRET, WEBHOOK_SECRET)):
        _, during, second = await _paid(shop)
        await _gateway(shop, secret=NEW_SECRET)
        _, after, third = await _paid(shop)
        await _time_passes(shop, 60)
        assert {item["status"] for item in await _attempts(shop, second) + await _attempts(shop, third)} == {
            "delivered"
        }
        for payment_id in (second, third):
            await _work(shop, payment_id)

    # The window is over: only the new one is listed, and somebody has the old one.
    await _gateway(shop, secret=WEBHOOK_SECRET)
    async with shim(shop, (NEW_SECRET,)):
        _, late, fourth = await _paid(shop)
        await until(partial(_tried, shop, fourth))
        codes = {attempt["status_code"] for item in await _attempts(shop, fourth) for attempt in item["attempts"]}
        assert codes == {400}
        assert await _inbox(shop, fourth) == []
    assert await _inbox(shop, first) == []
    # Nobody's money waits for a webhook.
    await poll(shop, late.id, before.id)
    for checkout in (before, during, after, late):
        assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 1
    await check_books(shop)


async def test_r5_a_day_without_a_webhook_and_the_poller_alone_confirms_every_order(shop: Shop) -> None:
    """Each hour somebody pays and does not come back. The poller comes when the checkouts' own rows say so."""
    buyers = await new_buyers(shop, 24)
    checkouts = []
    received = await shop.count("gateway_events")
    for hour, buyer in enumerate(buyers):
        checkout = await buyer.checks_out_one(await shop.variant())
        checkouts.append(checkout)
        await buyer.pay(checkout, outcome="authorize_only" if hour % 4 == 0 else "success")
        await _time_passes(shop, timedelta(minutes=1).total_seconds())
        await shop.sql(
            "UPDATE checkouts SET next_check_at = next_check_at - interval '70 seconds' WHERE state = 'open'"
        )
        assert await shop.container.wake_due_work().execute() >= 1
        (due,) = await shop.sql(
            "SELECT count(*) AS n FROM pgqueuer WHERE dedupe_key = :key", key=f"settle_checkout:{checkout.id}"
        )
        assert due["n"] == 1
        await poll(shop, checkout.id)
        await _time_passes(shop, timedelta(minutes=59).total_seconds())

    assert await shop.count("gateway_events") == received
    states = {(await buyer.checkout(c.id)).state for buyer, c in zip(buyers, checkouts, strict=True)}
    assert states == {CheckoutState.PLACED}
    await check_books(shop)
