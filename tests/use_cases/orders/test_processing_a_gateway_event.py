"""A stored delivery is worked on until its payment has been looked up."""

from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.gateway import GatewayOrder, GatewayPayment, GatewayPaymentState, GatewayUnknownError
from kapda.domain.payments.gateway_event import GatewayEventState
from tests.fakes.deliveries import delivery, event_body
from tests.fakes.payment_gateway import UNKNOWN
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop


@pytest.fixture
async def checkout(shop: Shop) -> Checkout:
    return await shop.check_out_one()


async def received(shop: Shop, payment: GatewayPayment, name: str = "payment.captured") -> UUID:
    return (await shop.receive_event.execute(delivery(event_body(name, payment)))).id


async def process(shop: Shop, event: UUID) -> None:
    await shop.process_event.execute(ProcessGatewayEventCommand(event))


async def test_an_events_payment_is_looked_up_and_finished(shop: Shop, checkout: Checkout) -> None:
    event = await received(shop, shop.gateway.pay(checkout.gateway_order_id or ""))
    await process(shop, event)
    row = shop.tables.gateway_events[event]
    assert (row.event.state, row.outcome, row.next_attempt_at) == (GatewayEventState.PROCESSED, "placed", None)
    assert shop.the_order().history[0].actor == "webhook payment.captured"


async def test_what_the_event_says_is_only_a_reason_to_look(shop: Shop, checkout: Checkout) -> None:
    payment = shop.gateway.pay(checkout.gateway_order_id or "")
    event = await received(shop, payment)
    shop.gateway.change(payment.id, GatewayPaymentState.FAILED)
    await process(shop, event)
    assert (shop.tables.gateway_events[event].outcome, shop.tables.orders) == ("waiting", {})


async def test_an_event_is_done_once(shop: Shop, checkout: Checkout) -> None:
    event = await received(shop, shop.gateway.pay(checkout.gateway_order_id or ""))
    await process(shop, event)
    calls, commits = len(shop.gateway.calls), shop.database.commits
    await process(shop, event)
    assert (len(shop.gateway.calls), shop.database.commits) == (calls, commits)


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_a_failure_postpones_the_event_ever_longer(shop: Shop, checkout: Checkout, failures: int) -> None:
    event = await received(shop, shop.gateway.pay(checkout.gateway_order_id or ""))
    shop.gateway.will("fetch_payment", *[UNKNOWN] * failures)
    for _ in range(failures):
        with pytest.raises(GatewayUnknownError):
            await process(shop, event)
    row = shop.tables.gateway_events[event]
    assert (row.event.state, row.event.attempts) == (GatewayEventState.PENDING, failures)
    assert row.next_attempt_at == shop.clock.now() + timedelta(seconds=2**failures)
    await process(shop, event)
    assert shop.tables.gateway_events[event].event.state is GatewayEventState.PROCESSED


async def test_a_database_that_fails_in_the_middle_postpones_too(shop: Shop, checkout: Checkout) -> None:
    event = await received(shop, shop.gateway.pay(checkout.gateway_order_id or ""))
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await process(shop, event)
    assert shop.tables.gateway_events[event].event.attempts == 1
    await process(shop, event)
    assert shop.state(checkout) is CheckoutState.PLACED


async def test_an_event_about_something_else_is_processed_as_foreign(shop: Shop) -> None:
    shop.gateway.orders["order_Foreign"] = GatewayOrder("order_Foreign", "invoice 17", rupees(500))
    event = await received(shop, shop.gateway.pay("order_Foreign"))
    await process(shop, event)
    assert shop.tables.gateway_events[event].outcome == "foreign"
    assert len(shop.tables.foreign_payments) == 1


async def test_an_event_whose_money_fits_nothing_is_processed_as_a_case(shop: Shop, checkout: Checkout) -> None:
    event = await received(shop, shop.gateway.pay(checkout.gateway_order_id or "", amount=rupees(1)))
    await process(shop, event)
    assert (shop.tables.gateway_events[event].outcome, len(shop.tables.cases)) == ("case", 1)


async def test_an_event_that_asks_nothing_of_us_and_one_that_is_not_there_are_no_work(
    shop: Shop, checkout: Checkout
) -> None:
    ignored = await received(shop, shop.gateway.pay(checkout.gateway_order_id or ""), "payment.failed")
    calls = len(shop.gateway.calls)
    for event in (ignored, UUID(int=1)):
        await process(shop, event)
    assert (len(shop.gateway.calls), shop.tables.orders) == (calls, {})
