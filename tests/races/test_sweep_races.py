"""Several workers sweeping and relaying at once."""

from functools import partial

from kapda.domain.ops.use_cases.relay_events import RelayEventsCommand
from kapda.domain.shared.jobs import Job
from tests.shop.buyer import new_buyers
from tests.shop.gate import at_once
from tests.shop.shop import Shop


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
    relays = [partial(shop.door().relay_events().execute, RelayEventsCommand(order.id)) for _ in range(9)]

    outcomes = await at_once(relays)

    assert not outcomes.refusals
    assert sum(outcomes.answers) == 1
    assert await shop.count("outbox_events WHERE aggregate_id = :id AND published_at IS NULL", id=order.id) == 0
    await shop.check_promises()
