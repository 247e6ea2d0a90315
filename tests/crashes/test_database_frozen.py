"""The database hangs while processes are told to go: they go all the same, and what they had begun is finished later."""

import asyncio
import os
import signal
from functools import partial
from uuid import uuid4

import pytest

from tests.shop.processes import end_of, frozen_postgres, pid_of, restart
from tests.shop.wire import Wire, insist

# Freezes a whole PostgreSQL and waits for real time limits.
pytestmark = [pytest.mark.torture, pytest.mark.timeout(300)]

# What machinery that starts and ends processes usually grants before it kills, with something for a busy machine.
WITHIN_SECONDS = 45.0


@pytest.mark.parametrize("leave", [True, False], ids=["callers gone", "callers there"])
async def test_f55_a_database_that_hangs_keeps_no_process_from_going(wire: Wire, leave: bool) -> None:
    variant = await wire.variant()
    customers = [await wire.sign_up() for _ in range(4)]
    for customer in customers:
        await customer.add(variant)
    requests = [await customer.checkout_request(str(uuid4())) for customer in customers]
    with frozen_postgres(wire.stack):
        begun = [
            asyncio.create_task(customer.start(request)) for customer, request in zip(customers, requests, strict=True)
        ]
        await asyncio.sleep(0.5)
        if leave:
            for call in begun:
                call.cancel()
        for name in ("serve", "worker", "webhooks"):
            os.kill(pid_of(wire.stack, name), signal.SIGTERM)
        codes = [await end_of(wire.stack, name, within=WITHIN_SECONDS) for name in ("serve", "worker", "webhooks")]
    assert codes == [0, 0, 0]
    await asyncio.gather(*begun, return_exceptions=True)

    for name in ("serve", "worker", "webhooks"):
        restart(wire.stack, name)
    for customer, request in zip(customers, requests, strict=True):
        checkout = await insist(partial(customer.start, request))
        await insist(partial(customer.place, customer.coming_back(checkout, await wire.pay(checkout), str(uuid4()))))
    assert await wire.level(variant) == (16, 0)
    await wire.check_promises()
