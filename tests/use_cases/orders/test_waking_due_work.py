"""The sweep wakes what is due, and nothing else."""

import pytest

from kapda.domain.checkout.checkout import Checkout
from kapda.domain.orders.use_cases.wake_due_work import WakeDueWork
from kapda.domain.shared.jobs import Job
from tests.fakes.deliveries import delivery, event_body
from tests.fakes.shop import Shop


@pytest.fixture
def wake(shop: Shop) -> WakeDueWork:
    return WakeDueWork(shop.database.unit_of_work, shop.clock)


async def paid_and_told(shop: Shop) -> Checkout:
    """A checkout that is paid, with its webhook taken in and its wake-up lost."""
    checkout = await shop.check_out_one()
    payment = shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.receive_event.execute(delivery(event_body("payment.captured", payment)))
    shop.tables.jobs.clear()
    return checkout


async def test_a_delivery_whose_wake_up_was_lost_is_woken(shop: Shop, wake: WakeDueWork) -> None:
    await paid_and_told(shop)
    assert await wake.execute() == 1
    (event,) = shop.tables.gateway_events
    assert list(shop.tables.jobs) == [(Job.PROCESS_GATEWAY_EVENT, event)]


async def test_a_checkout_is_woken_when_its_look_is_due(shop: Shop, wake: WakeDueWork) -> None:
    checkout = await shop.check_out_one()
    assert await wake.execute() == 0
    shop.clock.at = shop.tables.checkouts[checkout.id].next_check_at or shop.clock.at
    assert await wake.execute() == 1
    assert list(shop.tables.jobs) == [(Job.SETTLE_CHECKOUT, checkout.id)]


async def test_waking_twice_is_waking_once(shop: Shop, wake: WakeDueWork) -> None:
    await paid_and_told(shop)
    assert [await wake.execute(), await wake.execute()] == [1, 1]
    assert len(shop.tables.jobs) == 1


async def test_a_rollback_wakes_nobody(shop: Shop, wake: WakeDueWork) -> None:
    await paid_and_told(shop)
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await wake.execute()
    assert not shop.tables.jobs
