"""F55: a server is told to go amid a hundred checkouts, and another takes over on the same port."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from kapda.adapters.embedded.processes import free_port
from kapda.api.checkout.v1.checkout_pb2 import Checkout
from kapda.api.checkout.v1.checkout_service_pb2 import StartCheckoutRequest
from kapda.entrypoints.cli.supervisor import Supervisor
from tests.shop.processes import end_of, paused, pid_of, restart
from tests.shop.wire import Caller, Wire, eventually, insist, reason_of

# A hundred customers and servers that come and go: a minute of two cores.
pytestmark = pytest.mark.torture

CROWD = 100


def _listens(log: Path) -> bool:
    return log.exists() and "grpc server listens" in log.read_text()


@contextmanager
def _server(wire: Wire, name: str, address: str) -> Iterator[Supervisor]:
    """Another server of the shop, which shares its port. Whoever else listens there answers for nobody's readiness."""
    usual = next(program for program in wire.stack.supervisor.programs if program.name == "serve")
    logs = wire.stack.supervisor.logs / name
    shares = replace(
        usual, name=name, command=(*usual.command, "--share-port"), is_ready=partial(_listens, logs / f"{name}.log")
    )
    environment = {**wire.stack.supervisor.environment, "KAPDA_GRPC_ADDRESS": address}
    with Supervisor(tasks=(), programs=(shares,), environment=environment, logs=logs) as running:
        yield running


async def _crowd(wire: Wire, variant: str) -> list[Caller]:
    customers = []
    for _ in range(CROWD):
        customer = await insist(wire.sign_up)
        await insist(partial(customer.add, variant))
        customers.append(customer)
    return customers


async def _ended(logs: Sequence[Path], customers: Set[str]) -> Counter[str]:
    """How these customers' checkouts ended that a server began, in its own words."""
    ended: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(encoding="utf-8").splitlines():
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("event") == "call" and told["principal_id"] in customers and "/StartCheckout" in told["method"]:
                ended[f"{told['code']} {told['reason'] or ''}".strip()] += 1
    return ended


async def _check_out_while(
    wire: Wire, variant: str, channel: grpc.aio.Channel, server: int, logs: Callable[[], Sequence[Path]]
) -> None:
    """All check out at once, the server is told to go when some are through; every one gets its checkout, once, and nobody
    whose call was begun has to ask again."""
    customers = await _crowd(wire, variant)
    requests = [await customer.checkout_request(str(uuid4())) for customer in customers]
    before = await wire.level(variant)
    refused: Counter[str] = Counter()

    async def start(customer: Caller, request: StartCheckoutRequest) -> Checkout:
        try:
            return await customer.start(request, channel)
        except grpc.aio.AioRpcError as error:
            refused[f"{error.code().name} {reason_of(error)}".strip()] += 1
            raise

    begun = [
        asyncio.create_task(insist(partial(start, customer, request)))
        for customer, request in zip(customers, requests, strict=True)
    ]
    await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)

    os.kill(server, signal.SIGTERM)

    checkouts = await asyncio.gather(*begun)
    # Whoever has no reason did not get through to a server. Who comes in the instant between the server's last look and
    # grpc's stop is cancelled by grpc without a word, also unbegun; before there was a last look it was most of the crowd.
    assert refused.pop("CANCELLED", 0) <= CROWD // 20
    assert set(refused) <= {"UNAVAILABLE DRAINING", "UNAVAILABLE OVERLOADED", "UNAVAILABLE"}, refused
    carts = (
        "SELECT c.customer_id::text FROM carts c JOIN cart_lines l ON l.cart_id = c.id WHERE l.variant_id = $1::uuid"
    )
    ids = {row["customer_id"] for row in await wire.database.fetch(carts, variant)}
    ended = await _ended(logs(), ids)
    assert ended.pop("OK") == CROWD
    assert set(ended) <= {"UNAVAILABLE DRAINING", "UNAVAILABLE OVERLOADED"}, ended
    again = [
        await insist(partial(customer.start, request, channel))
        for customer, request in zip(customers[::10], requests[::10], strict=True)
    ]
    assert [checkout.id for checkout in again] == [checkout.id for checkout in checkouts[::10]]
    assert len({checkout.id for checkout in checkouts}) == CROWD
    assert await wire.level(variant) == (before[0], before[1] + CROWD)
    assert await wire.database.fetchval("SELECT count(*) FROM checkouts WHERE state = 'opening'") == 0
    await wire.check_promises()


async def test_a_new_server_started_before_the_old_one_ends_takes_over_on_its_port(wire: Wire) -> None:
    variant, address = await wire.variant(pieces=2 * CROWD), f"127.0.0.1:{free_port()}"
    with ExitStack() as servers:
        old = servers.enter_context(_server(wire, "serve-old", address))
        async with grpc.aio.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 500)]) as channel:
            await channel.channel_ready()
            servers.enter_context(_server(wire, "serve-new", address))
            leaving = old._running["serve-old"]
            logs = [wire.stack.supervisor.logs / name / f"{name}.log" for name in ("serve-old", "serve-new")]
            await _check_out_while(wire, variant, channel, leaving.pid, lambda: logs)
            assert await asyncio.to_thread(leaving.wait, 30) == 0


async def test_a_server_restarted_amid_a_hundred_checkouts_leaves_none_half_done(wire: Wire) -> None:
    variant = await wire.variant(pieces=2 * CROWD)

    async def come_back() -> None:
        leaving = wire.stack.supervisor._running["serve"]
        assert await asyncio.to_thread(leaving.wait, 60) == 0
        del wire.stack.supervisor._running["serve"]
        restart(wire.stack, "serve")

    coming_back = asyncio.create_task(come_back())
    logs = wire.stack.supervisor.logs.glob("serve*.log")
    await _check_out_while(wire, variant, wire.channel, pid_of(wire.stack, "serve"), lambda: list(logs))
    await coming_back


async def test_checkouts_whose_callers_have_gone_are_finished_by_the_drain(wire: Wire) -> None:
    variant = await wire.variant()
    customers = [await wire.sign_up() for _ in range(4)]
    for customer in customers:
        await customer.add(variant)
    requests = [await customer.checkout_request(str(uuid4())) for customer in customers]

    async def all_opening() -> bool:
        among = "SELECT count(*) FROM checkouts WHERE state = 'opening'"
        return bool(await wire.database.fetchval(among) == len(customers))

    with paused(wire.stack, "emulator"):
        begun = [
            asyncio.create_task(customer.start(request)) for customer, request in zip(customers, requests, strict=True)
        ]
        await eventually(all_opening)
        for call in begun:
            call.cancel()
        await asyncio.wait(begun)
        os.kill(pid_of(wire.stack, "serve"), signal.SIGTERM)
    assert await end_of(wire.stack, "serve") == 0

    # No poller has been due yet and nobody has asked again: the old server did it.
    opened = """SELECT id::text FROM checkouts
        WHERE state = 'open' AND gateway_order_id IS NOT NULL AND customer_id = ANY($1::uuid[])"""
    restart(wire.stack, "serve")
    ids = [(await customer.me()).user.id for customer in customers]
    found = {row["id"] for row in await wire.database.fetch(opened, ids)}
    assert found == {
        (await insist(partial(customer.start, request))).id
        for customer, request in zip(customers, requests, strict=True)
    }
    assert len(found) == len(customers)
    await wire.check_promises()
