"""Several workers sweeping and relaying at once."""

import asyncio
from uuid import uuid4

import pytest

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.jobs import Job
from tests.shop.buyer import new_buyers
from tests.shop.gate import at_once
from tests.shop.shop import Shop
from tests.shop.statements import Statements
from tests.shop.waits import somebody_waits_for_a_lock


async def test_sweeps_of_several_workers_wake_everything_due_once_and_never_deadlock(shop: Shop) -> None:
    variants = await shop.variants(30)
    for buyer, variant in zip(await new_buyers(shop, 30), variants, strict=True):
        await buyer.checks_out_one(variant)
    # All due at one instant, told to each sweep in whatever order the rows lie.
    await shop.sql("UPDATE checkouts SET next_check_at = now() - interval '1 minute'")

    outcomes = await at_once([shop.door().wake_due_work().execute for _ in range(9)])

    assert not outcomes.refusals
    jobs = "pgqueuer WHERE entrypoint = :name"
    assert await shop.count(jobs, name=Job.SETTLE_CHECKOUT.value) == 30


async def test_f43_an_orders_events_are_relayed_once_and_in_order_by_rival_relays(shop: Shop) -> None:
    (buyer,) = await new_buyers(shop, 1)
    order = await buyer.buys(await shop.variant())

    outcomes = await at_once([shop.door().relay_events().execute for _ in range(9)])

    assert not outcomes.refusals
    assert sum(outcomes.answers) == 1
    assert await shop.count("outbox_events WHERE aggregate_id = :id AND published_at IS NULL", id=order.id) == 0


async def test_f9_a_sweep_and_a_change_that_wake_the_same_things_in_opposite_orders_never_deadlock(shop: Shop) -> None:
    (buyer,) = await new_buyers(shop, 1)
    checkout, delivery = await buyer.checks_out_one(await shop.variant()), uuid4()
    await shop.sql("DELETE FROM pgqueuer")
    await shop.sql(
        """INSERT INTO gateway_events (id, event_id, entity_key, event_type, body, received_at, state, next_attempt_at)
           VALUES (:id, 'evt_1', 'captured', 'payment.captured', '{}', now(), 'pending', now() - interval '1 minute')""",
        id=delivery,
    )
    await shop.sql("UPDATE checkouts SET next_check_at = now() - interval '1 minute' WHERE id = :id", id=checkout.id)
    uow: PostgresUnitOfWork = shop.door().unit_of_work()

    async with uow:
        await uow.jobs.wake(Job.PROCESS_GATEWAY_EVENT, delivery)
        sweeping = asyncio.create_task(shop.door().wake_due_work().execute())
        await somebody_waits_for_a_lock(shop)
        await uow.jobs.wake(Job.SETTLE_CHECKOUT, checkout.id)
        await uow.commit()

    assert await sweeping >= 2


@pytest.mark.parametrize("due", [1, 40])
async def test_f41_a_sweep_asks_as_much_of_the_database_for_many_as_for_one(shop: Shop, due: int) -> None:
    for buyer, variant in zip(await new_buyers(shop, due), await shop.variants(due), strict=True):
        await buyer.checks_out_one(variant)
    await shop.sql("DELETE FROM pgqueuer")
    await shop.sql("UPDATE checkouts SET next_check_at = now() - interval '1 minute'")
    statements = Statements()

    async with statements.of(shop.container):
        woken = await shop.container.wake_due_work().execute()

    assert woken >= due
    assert len(statements) <= 8
