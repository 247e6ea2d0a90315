"""Real processes die at bad moments. Whoever comes again finds one purchase, and every promise holds."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

import asyncpg
import grpc
import pytest

from kapda.api.checkout.v1.checkout_pb2 import Checkout
from kapda.api.orders.v1.order_pb2 import Order
from tests.shop.processes import end_of, kill, kill_postgres, paused, pid_of, restart, without_valkey
from tests.shop.wire import Caller, Wire, eventually, insist, reason_of

# Starts and kills real processes again and again: minutes of two cores.
pytestmark = [pytest.mark.torture, pytest.mark.timeout(300)]


async def _opening(wire: Wire, caller: Caller) -> str:
    """The id of the caller's checkout whose order is being made at the gateway."""
    user_id = (await caller.me()).user.id

    async def found() -> str:
        checkout_id = await wire.database.fetchval(
            "SELECT id FROM checkouts WHERE customer_id = $1::uuid AND state = 'opening'", user_id
        )
        return str(checkout_id or "")

    return await eventually(found)


async def _gateway_orders(wire: Wire, checkout_id: str) -> list[str]:
    return [order["id"] for order in (await wire.books())["orders"] if order["receipt"] == checkout_id]


async def _cut_off_while_opening(wire: Wire, customer: Caller, request_id: str) -> str:
    """Kill the server between the hold and the gateway's answer; the id of what it leaves opening."""
    request = await customer.checkout_request(request_id)
    with paused(wire.stack, "emulator"):
        starting = asyncio.create_task(customer.start(request))
        checkout_id = await _opening(wire, customer)
        kill(wire.stack, "serve")
        with pytest.raises(grpc.aio.AioRpcError):
            await starting
    restart(wire.stack, "serve")
    return checkout_id


async def test_f16_a_server_killed_between_hold_and_gateway_is_finished_by_the_same_request(wire: Wire) -> None:
    customer, variant, request_id = await wire.sign_up(), await wire.variant(), str(uuid4())
    await customer.add(variant)
    checkout_id = await _cut_off_while_opening(wire, customer, request_id)
    assert await wire.level(variant) == (20, 1)
    request = await customer.checkout_request(request_id)

    await wire.becomes_due(checkout_id)
    checkout = await insist(partial(customer.start, request))

    assert (checkout.id, checkout.state) == (checkout_id, Checkout.STATE_OPEN)
    assert checkout.razorpay_order_id in await _gateway_orders(wire, checkout_id)
    order = await customer.place(customer.coming_back(checkout, await wire.pay(checkout)))
    assert order.total == checkout.total
    assert await wire.level(variant) == (19, 0)
    await wire.check_promises()


async def test_f16_what_a_killed_server_left_opening_the_poller_opens(wire: Wire) -> None:
    customer, variant, request_id = await wire.sign_up(), await wire.variant(), str(uuid4())
    await customer.add(variant)
    checkout_id = await _cut_off_while_opening(wire, customer, request_id)
    request = await customer.checkout_request(request_id)

    await wire.becomes_due(checkout_id)

    async def is_open() -> bool:
        state = await wire.database.fetchval("SELECT state FROM checkouts WHERE id = $1::uuid", checkout_id)
        return bool(state == "open")

    await eventually(is_open, within=12.0)
    assert (await insist(partial(customer.start, request))).id == checkout_id
    assert len(await _gateway_orders(wire, checkout_id)) == 1
    await wire.check_promises()


async def test_f23_a_server_killed_while_it_asks_about_the_payment_leaves_an_order_to_be_found(wire: Wire) -> None:
    customer, variant = await wire.sign_up(), await wire.variant()
    checkout = await customer.checks_out(variant)
    # Else the worker may hear of the payment, and be the one who captures.
    await wire.fault(kind="webhook_drop", order_id=checkout.razorpay_order_id)
    triple = await wire.pay(checkout, outcome="authorize_only")
    request = customer.coming_back(checkout, triple, str(uuid4()))
    await wire.fault(kind="timeout_after", operation="capture", seconds=5)
    placing = asyncio.create_task(customer.place(request))

    async def is_pinned() -> bool:
        state = await wire.database.fetchval("SELECT state FROM checkouts WHERE id = $1::uuid", checkout.id)
        return bool(state != "open")

    await eventually(is_pinned)
    kill(wire.stack, "serve")
    with pytest.raises(grpc.aio.AioRpcError):
        await placing
    restart(wire.stack, "serve")

    order = await insist(partial(customer.place, request))

    assert order.total == checkout.total
    assert await wire.orders_of(checkout.id) == 1
    assert await wire.level(variant) == (19, 0)
    await wire.check_promises()


async def test_f23_a_worker_killed_at_work_leaves_the_delivery_to_the_next_one(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    await wire.fault(kind="timeout_before", operation="get_payment", seconds=5, times=3)
    triple = await wire.pay(checkout)

    async def is_picked() -> bool:
        among = """SELECT EXISTS (
            SELECT FROM pgqueuer q JOIN gateway_events e ON e.id::text = split_part(q.dedupe_key, ':', 2)
            WHERE q.status = 'picked' AND e.gateway_payment_id = $1)"""
        return bool(await wire.database.fetchval(among, triple["razorpay_payment_id"]))

    await eventually(is_picked)
    kill(wire.stack, "worker")
    await wire.gateway_behaves()
    restart(wire.stack, "worker")

    (order_id,) = await eventually(customer.orders, within=25.0)
    assert (await customer.order(order_id)).total == checkout.total
    await wire.check_promises()


async def test_f43_an_order_placed_while_no_worker_runs_is_told_of_when_one_does(wire: Wire) -> None:
    customer = await wire.sign_up()
    kill(wire.stack, "worker")
    checkout = await customer.checks_out(await wire.variant())
    order = await customer.place(customer.coming_back(checkout, await wire.pay(checkout)))
    assert await wire.events_of(order.id) == []

    restart(wire.stack, "worker")

    async def told() -> list[str]:
        return await wire.events_of(order.id)

    assert set(await eventually(told)) == {"order.placed"}
    await wire.check_promises()


async def test_f23_a_shim_killed_takes_the_deliveries_when_it_is_back(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    kill(wire.stack, "webhooks")
    await wire.pay(checkout)
    await asyncio.sleep(0.2)
    restart(wire.stack, "webhooks")
    assert await customer.orders() == []

    # The gateway tries again after six seconds of its own time.
    (await wire.gateway.post("/emulator/clock", json={"advance_seconds": 10})).raise_for_status()

    (order_id,) = await eventually(customer.orders)
    assert (await customer.order(order_id)).total == checkout.total
    await wire.check_promises()


async def test_f55_a_server_told_to_go_finishes_the_checkouts_it_has_begun(wire: Wire) -> None:
    customers, variant = [await wire.sign_up() for _ in range(4)], await wire.variant()
    for customer in customers:
        await customer.add(variant)
    requests = [await customer.checkout_request() for customer in customers]
    with paused(wire.stack, "emulator"):
        starting = [
            asyncio.create_task(customer.start(request)) for customer, request in zip(customers, requests, strict=True)
        ]
        for customer in customers:
            await _opening(wire, customer)
        os.kill(pid_of(wire.stack, "serve"), signal.SIGTERM)
        await asyncio.sleep(0.3)
    checkouts = await asyncio.gather(*starting)

    assert await end_of(wire.stack, "serve") == 0
    restart(wire.stack, "serve")
    assert {checkout.state for checkout in checkouts} == {Checkout.STATE_OPEN}
    assert await wire.level(variant) == (20, 4)
    await wire.check_promises()


async def _buy(wire: Wire, customer: Caller) -> Order:
    """Whatever happens meanwhile: every step again, under its own request id, until it is answered."""
    request = await insist(partial(customer.checkout_request, str(uuid4())))
    checkout = await insist(partial(customer.start, request))
    triple = await wire.pay(checkout)
    return await insist(partial(customer.place, customer.coming_back(checkout, triple, str(uuid4()))))


@asynccontextmanager
async def _time_passing(wire: Wire) -> AsyncIterator[None]:
    """Whoever was cut off while opening need not wait for half a minute."""
    dsn = wire.stack.environment["KAPDA_DATABASE_URL"]

    async def pass_by() -> None:
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = await asyncpg.connect(dsn)
                await connection.execute("UPDATE checkouts SET gateway_lease_until = NULL WHERE state = 'opening'")
                await connection.close()
            await asyncio.sleep(0.3)

    passing = asyncio.create_task(pass_by())
    try:
        yield
    finally:
        passing.cancel()


async def _crowd(wire: Wire, variant: str) -> list[Caller]:
    """Customers with the variant in their carts."""
    customers = [await wire.sign_up() for _ in range(12)]
    for customer in customers:
        await customer.add(variant)
    return customers


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["told to go", "killed"])
async def test_f55_a_crowd_whose_server_goes_away_gets_its_orders_from_the_next_one(
    wire: Wire, end: signal.Signals
) -> None:
    variant = await wire.variant(pieces=50)
    customers = await _crowd(wire, variant)

    async with _time_passing(wire):
        buying = asyncio.gather(*(_buy(wire, customer) for customer in customers))
        await asyncio.sleep(0.15)
        os.kill(pid_of(wire.stack, "serve"), end)
        code = await end_of(wire.stack, "serve")
        restart(wire.stack, "serve")
        ended = await buying

    assert code == (0 if end is signal.SIGTERM else -end)
    assert len({order.id for order in ended}) == 12
    assert await wire.level(variant) == (38, 0)
    await wire.check_promises()


async def test_a_crowd_whose_database_loses_its_power_gets_its_orders_when_it_is_back(wire: Wire) -> None:
    variant = await wire.variant(pieces=50)
    customers = await _crowd(wire, variant)

    async with _time_passing(wire):
        buying = asyncio.gather(*(_buy(wire, customer) for customer in customers))
        for _ in range(2):
            await asyncio.sleep(0.2)
            kill_postgres(wire.stack)
        ended = await buying

    assert len({order.id for order in ended}) == 12
    assert await wire.level(variant) == (38, 0)
    await wire.check_promises()


async def test_without_valkey_people_buy_and_logged_out_tokens_stay_refused(wire: Wire) -> None:
    customer, gone, variant = await wire.sign_up(), await wire.sign_up(), await wire.variant()
    await gone.log_out()
    with without_valkey(wire.stack):
        checkout = await customer.checks_out(variant)
        order = await customer.place(customer.coming_back(checkout, await wire.pay(checkout)))
        assert order.total == checkout.total
        leaver = await wire.sign_up()
        await leaver.log_out()
        for ended in (gone, leaver):
            await _is_refused(ended)
    for ended in (gone, leaver):
        await _is_refused(ended)
    assert (await customer.me()).user.id
    await wire.check_promises()


async def _is_refused(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await caller.me()
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(refused.value) == "SESSION_REVOKED"
