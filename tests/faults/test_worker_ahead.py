"""A worker whose clock runs ahead of everybody else's: it thinks that people have stopped paying who have just begun to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from dependency_injector import providers

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import CheckoutId
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.desk import cancel, customer, payment_of, refunds_of, send_due
from tests.shop.shop import Shop

AHEAD = [timedelta(minutes=20), timedelta(hours=1), timedelta(days=2), timedelta(days=9)]


class ClockAhead:
    """A clock of a machine whose time is not everybody's."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Later than it is."""
        return datetime.now(UTC) + self._ahead


@pytest.fixture(params=AHEAD, ids=str)
async def worker(shop: Shop, request: pytest.FixtureRequest) -> AsyncIterator[Container]:
    """The worker, with the only clock that is wrong. The other processes are servers."""
    container = Container(settings=shop.container.settings())
    container.clock.override(providers.Object(ClockAhead(request.param)))
    yield container
    await close_container(container)


async def _works(worker: Container, checkout: CheckoutId) -> None:
    """All that it does by itself about the checkout."""
    await worker.wake_due_work().execute()
    await worker.settle_checkout().execute(SettleCheckoutCommand(checkout))
    await worker.sweep_recent_payments().execute()
    while await worker.relay_events().execute():
        pass


async def _looks_with_a_right_clock(shop: Shop) -> None:
    await shop.container.sweep_recent_payments().execute()
    await send_due(shop)


async def _state(buyer: Buyer, checkout: CheckoutId) -> CheckoutState:
    return (await buyer.checkout(checkout)).state


async def test_whoever_pays_meanwhile_has_the_order_while_the_pieces_are_there(shop: Shop, worker: Container) -> None:
    variant, buyer = await shop.variant(pieces=3), await new_buyer(shop)
    checkout = await buyer.checks_out_one(variant)
    await _works(worker, checkout.id)
    # It took the hold back, which costs the customer the certainty and nothing else.
    assert await _state(buyer, checkout.id) in (CheckoutState.OPEN, CheckoutState.EXPIRED)

    order = (await buyer.place(checkout, await buyer.pay(checkout))).value

    await _works(worker, checkout.id)
    assert order.checkout_id == checkout.id
    assert await shop.level(variant) == (2, 0)


async def test_whoever_pays_for_pieces_that_went_to_somebody_else_has_the_money_back(
    shop: Shop, worker: Container
) -> None:
    variant, (slow, quick) = await shop.variant(pieces=1), [await new_buyer(shop) for _ in range(2)]
    checkout = await slow.checks_out_one(variant)
    await _works(worker, checkout.id)
    if await _state(slow, checkout.id) is CheckoutState.OPEN:
        return
    await quick.buys(variant)
    triple = await slow.pay(checkout)

    with pytest.raises(FailedPreconditionError) as refused:
        await slow.place(checkout, triple)

    assert refused.value.reason is Reason.PAYMENT_REFUNDED
    await send_due(shop)
    assert [row["state"] for row in await refunds_of(shop, triple["razorpay_payment_id"])] == ["processed"]


async def test_money_that_comes_after_its_last_look_is_found_by_whoever_has_the_time(
    shop: Shop, worker: Container
) -> None:
    variant, buyer = await shop.variant(pieces=3), await new_buyer(shop)
    checkout = await buyer.checks_out_one(variant)
    await _works(worker, checkout.id)
    await buyer.pay(checkout)

    await _looks_with_a_right_clock(shop)

    assert await _state(buyer, checkout.id) is CheckoutState.PLACED


async def test_the_account_is_not_taken_for_read_through_beyond_the_time_it_is(shop: Shop, worker: Container) -> None:
    await worker.sweep_recent_payments().execute()
    async with shop.container.unit_of_work() as uow:
        through = await uow.account_readings.through()
    assert through is not None
    assert through <= datetime.now(UTC)


async def test_a_refund_that_it_sends_goes_once_and_is_looked_after_by_the_others(
    shop: Shop, worker: Container
) -> None:
    variant, buyer = await shop.variant(pieces=3), await new_buyer(shop)
    order = await buyer.buys(variant)
    await cancel(shop, customer(buyer.id), order.id)
    payment = await payment_of(shop, order)
    (promised,) = await refunds_of(shop, payment)
    for container in (worker, shop.container, worker):
        await container.wake_due_work().execute()
    for container in (worker, shop.container, worker):
        await container.send_refund().execute(SendRefundCommand(promised["id"]))
    assert [row["state"] for row in await refunds_of(shop, payment)] == ["processed"]
