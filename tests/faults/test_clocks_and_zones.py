"""A machine whose clock is set back, and machines that think in other zones: money, stock and sessions notice nothing."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from dependency_injector import providers

from kapda.domain.identity.session import CLOCK_SKEW
from kapda.domain.orders.order import OrderState
from kapda.domain.orders.use_cases.get_order import GetOrderCommand
from kapda.domain.shared.ids import CheckoutId
from tests.shop.buyer import new_buyer
from tests.shop.desk import cancel, poll, refund, run_out, send_due
from tests.shop.devices import is_let_in, sign_in
from tests.shop.shop import Shop

MINUTE = timedelta(minutes=1)


@dataclass
class SteppedClock:
    """The time, as a machine has it whose clock was set back, or forward where `back` is negative."""

    back: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Another time than it is."""
        return datetime.now(UTC) - self.back


@pytest.fixture
def clock(shop: Shop) -> Iterator[SteppedClock]:
    """The clock of every process."""
    stepped = SteppedClock()
    for container in shop.containers:
        container.clock.override(providers.Object(stepped))
    yield stepped
    for container in shop.containers:
        container.clock.reset_override()


async def work_off(shop: Shop) -> None:
    """What the worker does: send what is to be sent, and look at what is due."""
    await send_due(shop)
    due = await shop.sql("SELECT id FROM checkouts WHERE next_check_at <= now()")
    await poll(shop, *(CheckoutId(row["id"]) for row in due))
    while await shop.container.relay_events().execute():
        pass


STEPS = [timedelta(seconds=2), MINUTE, timedelta(hours=1), timedelta(days=2)]


@pytest.mark.parametrize("back", [*STEPS, *(-step for step in STEPS)], ids=str)
async def test_a_clock_that_is_set_back_or_forward_between_any_two_steps_costs_nobody_anything(
    shop: Shop, clock: SteppedClock, back: timedelta
) -> None:
    variant, admin = await shop.variant(pieces=20), await shop.admin()
    for stepped_at in range(5):
        clock.back = timedelta(0)
        buyer = await new_buyer(shop)
        steps = iter(range(5))

        def step(steps: Iterator[int] = steps, stepped_at: int = stepped_at) -> None:
            if next(steps) == stepped_at:
                clock.back = back

        step()
        await buyer.add(variant, 2)
        step()
        checkout = await buyer.check_out()
        step()
        triple = await buyer.pay(checkout)
        order = (await buyer.place(checkout, triple)).value
        step()
        await refund(shop, admin, order.id, (1, 1), restock=True)
        step()
        assert (await cancel(shop, admin, order.id)).value.state is OrderState.CANCELLED
    clock.back = timedelta(0)
    assert await shop.level(variant) == (20, 0)
    await work_off(shop)


async def test_a_clock_that_is_set_back_ends_no_session_and_lengthens_none(shop: Shop, clock: SteppedClock) -> None:
    device = await sign_in(shop, await shop.customer())
    clock.back = CLOCK_SKEW - timedelta(seconds=10)
    assert await is_let_in(shop.container, device.tokens)
    renewed = await device.refresh()
    assert await is_let_in(shop.container, renewed)
    clock.back = timedelta(0)
    assert await is_let_in(shop.container, renewed)
    (row,) = await shop.sql("SELECT expires_at - created_at AS life FROM sessions WHERE id = :id", id=device.session.id)
    assert row["life"] <= timedelta(days=7) + MINUTE


async def test_a_hold_that_ran_out_before_the_clock_was_set_back_is_given_back_all_the_same(
    shop: Shop, clock: SteppedClock
) -> None:
    variant, buyer = await shop.variant(pieces=1), await new_buyer(shop)
    checkout = await buyer.checks_out_one(variant)
    clock.back = timedelta(minutes=2)
    await run_out(shop, checkout.id)
    assert await shop.level(variant) == (1, 0)
    clock.back = timedelta(0)
    await work_off(shop)


ZONES = ["Asia/Kolkata", "America/New_York"]


@pytest.fixture(params=[ZONES, ZONES[::-1]], ids=ZONES)
async def zones(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The machine thinks in one zone, sessions at the database in another; the latter's name."""
    machine, database = request.param
    (row,) = await shop.sql("SELECT current_database() AS name")
    with monkeypatch.context() as patched:
        patched.setenv("TZ", machine)
        time.tzset()
        await shop.sql(f"ALTER DATABASE {row['name']} SET timezone TO '{database}'")
        for container in shop.containers:
            # The zone is that of a new connection.
            for engine in (container.engine(), container.stock_engine(), container.catalog_engine()):
                await engine.dispose()
        yield database
    time.tzset()


async def test_machines_in_other_zones_agree_about_every_instant(shop: Shop, zones: str) -> None:
    plain = await asyncpg.connect(shop.container.settings().database_url.get_secret_value())
    assert await plain.fetchval("SHOW timezone") == zones
    await plain.close()
    assert datetime.now().astimezone().utcoffset() != timedelta(0)
    before = datetime.now(UTC)
    # What another test's clock has put into the past.
    await shop.sql("UPDATE payments SET captured_at = now()")
    variant, buyer, admin = await shop.variant(pieces=5), await new_buyer(shop), await shop.admin()
    device = await sign_in(shop, buyer.id)
    waiting = await (await new_buyer(shop)).checks_out_one(variant)
    assert timedelta(0) < waiting.pay_before - before < timedelta(minutes=16)
    bought = await buyer.buys(variant, 2)
    order = await shop.container.get_order().execute(GetOrderCommand(buyer.id, bought.id))
    for instant in (order.placed_at, *(change.at for change in order.history)):
        assert before - MINUTE < instant < before + 5 * MINUTE
        assert instant.utcoffset() == timedelta(0)
    renewed = await device.refresh()
    assert await is_let_in(shop.container, renewed)
    # Nothing is due hours early, and nothing hours late.
    assert await shop.container.wake_due_work().execute() == 0
    await shop.container.retention().prune()
    assert await is_let_in(shop.container, renewed)
    await run_out(shop, waiting.id)
    await cancel(shop, admin, order.id)
    await work_off(shop)
    assert await shop.level(variant) == (5, 0)
    assert await shop.container.measure_webhook_silence().execute() < 5 * MINUTE
