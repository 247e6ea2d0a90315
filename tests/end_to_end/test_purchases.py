"""From sign-up to an order, through every door, over the real wire."""

import asyncio
from functools import partial
from uuid import uuid4

import grpc
import pytest

from kapda.api.orders.v1.order_pb2 import Order
from tests.shop.wire import Caller, Wire, eventually, insist, reason_of


async def _delivered(wire: Wire, payment_id: str) -> bool:
    """Whether every webhook about the payment has been taken in."""
    items = (await wire.gateway.get("/emulator/deliveries")).json()["items"]
    ours = [item for item in items if payment_id in item["body"]]
    return len(ours) >= 3 and all(item["status"] == "delivered" for item in ours)


async def test_f21_the_browser_comes_back_first(wire: Wire) -> None:
    customer, variant = await wire.sign_up(), await wire.variant()
    checkout = await customer.checks_out(variant, 2)
    triple = await wire.pay(checkout)

    order = await customer.place(customer.coming_back(checkout, triple))

    assert order.total == checkout.total
    assert await customer.orders() == [order.id]
    assert await customer.order(order.id) == order
    await eventually(lambda: _delivered(wire, triple["razorpay_payment_id"]))
    assert await wire.orders_of(checkout.id) == 1
    assert await wire.level(variant) == (18, 0)
    await wire.check_promises()


async def test_f21_the_webhook_comes_first_and_the_browser_finds_its_order(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    triple = await wire.pay(checkout)
    (order_id,) = await eventually(customer.orders)

    order = await customer.place(customer.coming_back(checkout, triple))

    assert order.id == order_id
    await wire.check_promises()


async def test_f21_a_browser_that_never_comes_back_is_no_loss(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    await wire.pay(checkout, method="card")

    (order_id,) = await eventually(customer.orders, within=5.0)

    assert (await customer.order(order_id)).total == checkout.total
    await wire.check_promises()


async def test_f21_with_neither_browser_nor_webhook_the_poller_finds_the_money(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    await wire.webhooks(enabled=False)
    try:
        await wire.pay(checkout)
    finally:
        await wire.webhooks(enabled=True)
    await asyncio.sleep(0.3)
    assert await customer.orders() == []

    await wire.becomes_due(checkout.id)

    # The sweep comes every five seconds.
    (order_id,) = await eventually(customer.orders, within=12.0)
    assert (await customer.order(order_id)).total == checkout.total
    await wire.check_promises()


async def test_f23_a_replayed_webhook_changes_nothing(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    triple = await wire.pay(checkout)
    payment_id = triple["razorpay_payment_id"]
    await eventually(lambda: _delivered(wire, payment_id))
    (before,) = await eventually(customer.orders)
    items = (await wire.gateway.get("/emulator/deliveries")).json()["items"]

    for item in items:
        if payment_id in item["body"]:
            replayed = await wire.gateway.post("/emulator/deliveries/replay", json={"event_id": item["event_id"]})
            assert replayed.is_success
    await eventually(lambda: _delivered(wire, payment_id))

    assert await customer.orders() == [before]
    assert await wire.orders_of(checkout.id) == 1
    await wire.check_promises()


async def test_f14_a_double_click_on_the_wire_is_one_order_and_one_answer(wire: Wire) -> None:
    customer = await wire.sign_up()
    checkout = await customer.checks_out(await wire.variant())
    request = customer.coming_back(checkout, await wire.pay(checkout))

    answers = await asyncio.gather(*(customer.place(request) for _ in range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert await wire.orders_of(checkout.id) == 1
    await wire.check_promises()


async def test_f25_on_the_wire_a_triple_of_another_order_is_refused(wire: Wire) -> None:
    thief, variant = await wire.sign_up(), await wire.variant()
    cheap = await thief.checks_out(variant)
    triple = await wire.pay(cheap)
    await thief.place(thief.coming_back(cheap, triple))
    dear = await thief.checks_out(variant, 3)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await thief.place(thief.coming_back(dear, triple))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(refused.value) == "PAYMENT_SIGNATURE_INVALID"
    assert await wire.orders_of(dear.id) == 0
    await wire.check_promises()


async def test_f1_f55_on_the_wire_a_crowd_for_the_last_pieces_makes_exactly_so_many_orders(wire: Wire) -> None:
    variant = await wire.variant(pieces=5)
    customers = [await wire.sign_up() for _ in range(25)]
    for customer in customers:
        await customer.add(variant)

    async def buy(customer: Caller) -> Order | str:
        request = await customer.checkout_request(str(uuid4()))
        try:
            checkout = await insist(partial(customer.start, request))
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return await customer.place(customer.coming_back(checkout, await wire.pay(checkout)))

    ended = await asyncio.gather(*(buy(customer) for customer in customers))

    assert len([one for one in ended if isinstance(one, Order)]) == 5
    assert {one for one in ended if isinstance(one, str)} <= {"INSUFFICIENT_STOCK", "CART_CHANGED", "PRICE_CHANGED"}
    assert await wire.level(variant) == (0, 0)
    await wire.check_promises()
