"""Every payment on the account is looked at soon after it was made, and once more for good."""

from datetime import datetime, timedelta

import pytest

from kapda.domain.orders.use_cases import sweep_recent_payments
from kapda.domain.orders.use_cases.sweep_recent_payments import STEP, WINDOW, AccountSweep, SweepRecentPayments
from kapda.domain.payments.gateway import GatewayOrderRequest, GatewayPayment, GatewayUnknownError
from tests.fakes.payment_gateway import UNKNOWN
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop

LOOKS_APART = timedelta(minutes=2)


async def a_strangers_payment(shop: Shop) -> GatewayPayment:
    order = await shop.gateway.create_order(GatewayOrderRequest("somebody-else", rupees(5), {}, 12))
    payment = shop.gateway.pay(order.id)
    shop.clock.at = payment.created_at
    return payment


async def look(shop: Shop, at: datetime, *, ahead: timedelta = timedelta(0)) -> AccountSweep:
    """At that time; by the worker's clock it is later by `ahead`."""
    shop.tables.database_time, shop.clock.at = at, at + ahead
    sweep = SweepRecentPayments(shop.database.unit_of_work, shop.gateway, shop.finish_payment, shop.clock)
    return await sweep.execute()


def seen(shop: Shop) -> set[str]:
    return set(shop.tables.foreign_payments)


async def test_what_is_new_is_found_at_the_next_look(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    assert (await look(shop, payment.created_at + timedelta(seconds=5))).found == 1
    assert seen(shop) == {payment.id}
    assert (await look(shop, payment.created_at + LOOKS_APART)).found == 0


async def test_more_than_one_look_takes_is_read_once_it_has_come_of_age(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await a_strangers_payment(shop)
    shop.gateway.page = 1
    monkeypatch.setattr(sweep_recent_payments, "MOST_RECENT", 3)
    await look(shop, first.created_at - LOOKS_APART)
    newer = [await a_strangers_payment(shop) for _ in range(3)]
    shop.gateway.payments = {payment.id: payment for payment in (*newer, first)}

    await look(shop, first.created_at + LOOKS_APART)
    assert seen(shop) == {payment.id for payment in newer}

    await look(shop, first.created_at + WINDOW + LOOKS_APART)
    assert seen(shop) == {payment.id for payment in (*newer, first)}


async def test_a_payment_that_the_list_shows_late_is_found(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    lagging, shop.gateway.payments = shop.gateway.payments, {}
    for minutes in (1, 10, 29):
        await look(shop, payment.created_at + timedelta(minutes=minutes))
    shop.gateway.payments = lagging
    await look(shop, payment.created_at + timedelta(minutes=31))
    assert seen(shop) == {payment.id}


async def test_after_a_day_without_a_worker_the_day_is_read(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    await look(shop, payment.created_at - timedelta(hours=1))
    sweep = await look(shop, payment.created_at + timedelta(days=1))
    assert seen(shop) == {payment.id}
    assert sweep.read_through == payment.created_at + timedelta(days=1) - WINDOW


async def test_a_look_that_is_cut_off_goes_on_from_where_it_was(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    start = payment.created_at - timedelta(hours=1)
    await look(shop, start)
    calls = len(shop.gateway.calls)

    def die_in_the_fourth() -> None:
        if len(shop.gateway.calls) == calls + 3:
            raise GatewayUnknownError("cut off")

    shop.gateway.on_call = die_in_the_fourth
    with pytest.raises(GatewayUnknownError):
        await look(shop, payment.created_at + timedelta(hours=1))
    assert shop.tables.account_read_through == start - WINDOW + 2 * STEP

    shop.gateway.on_call = lambda: None
    await look(shop, payment.created_at + timedelta(hours=1))
    assert seen(shop) == {payment.id}


async def test_time_with_a_payment_that_could_not_be_finished_is_not_noted_as_read(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    await look(shop, payment.created_at - timedelta(hours=1))
    shop.gateway.will("fetch_payment", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await look(shop, payment.created_at + timedelta(hours=1))
    read = shop.tables.account_read_through
    assert read is not None
    assert payment.created_at - STEP <= read <= payment.created_at
    assert (await look(shop, payment.created_at + timedelta(hours=1))).found == 1
    assert seen(shop) == {payment.id}


async def test_a_clock_that_runs_ahead_reads_nothing_that_is_still_to_come(shop: Shop) -> None:
    payment = await a_strangers_payment(shop)
    found, shop.gateway.payments = shop.gateway.payments, {}
    start = payment.created_at - timedelta(minutes=10)
    await look(shop, start)
    sweep = await look(shop, start, ahead=timedelta(days=2))
    assert sweep.read_through == start
    shop.gateway.payments = found
    await look(shop, start + timedelta(days=1))
    assert seen(shop) == {payment.id}
