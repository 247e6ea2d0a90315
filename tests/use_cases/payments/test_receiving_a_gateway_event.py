"""A delivery is verified, stored once, and its work queued, before the gateway is answered."""

from dataclasses import replace

import pytest

from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.gateway_event import GatewayEventState
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.jobs import Job
from tests.fakes.deliveries import delivery, event_body
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.shop import Shop
from tests.fakes.signatures import webhook_signature


@pytest.fixture
async def payment(shop: Shop) -> GatewayPayment:
    """Captured for a checkout whose browser has gone."""
    checkout = await shop.check_out_one()
    return shop.gateway.pay(checkout.gateway_order_id or "")


@pytest.fixture
def command(payment: GatewayPayment) -> ReceiveGatewayEventCommand:
    return delivery(event_body("payment.captured", payment))


async def test_a_delivery_is_kept_as_it_came_and_its_work_is_queued(
    shop: Shop, command: ReceiveGatewayEventCommand, payment: GatewayPayment
) -> None:
    event = await shop.receive_event.execute(command)
    assert (event.state, event.event_type, event.gateway_payment_id, event.attempts) == (
        GatewayEventState.PENDING,
        "payment.captured",
        payment.id,
        0,
    )
    (row,) = shop.tables.gateway_events.values()
    assert (row.received.body, row.next_attempt_at) == (command.body, shop.clock.now())
    assert list(shop.tables.jobs) == [(Job.PROCESS_GATEWAY_EVENT, event.id)]


@pytest.mark.parametrize("signature", [None, "", "x", "0" * 64])
async def test_a_missing_or_wrong_signature_is_refused(
    shop: Shop, command: ReceiveGatewayEventCommand, signature: str | None
) -> None:
    headers = {"x-razorpay-event-id": "evt00000000001"} | ({"x-razorpay-signature": signature} if signature else {})
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID):
        await shop.receive_event.execute(replace(command, headers=headers))


async def test_a_body_changed_by_one_byte_is_refused(shop: Shop, command: ReceiveGatewayEventCommand) -> None:
    with refused_with_nothing_committed(shop.database, Reason.PAYMENT_SIGNATURE_INVALID):
        await shop.receive_event.execute(replace(command, body=command.body + b" "))


async def test_a_signed_body_that_is_no_event_of_ours_is_refused(shop: Shop, payment: GatewayPayment) -> None:
    for body in (b"[]", b"{", event_body("payment.captured", payment, account="acc_SomebodyElse1")):
        with refused_with_nothing_committed(shop.database, Reason.VALIDATION_FAILED):
            await shop.receive_event.execute(delivery(body))


async def test_the_same_delivery_again_is_the_same_event_and_wakes_it_again(
    shop: Shop, command: ReceiveGatewayEventCommand
) -> None:
    first = await shop.receive_event.execute(command)
    shop.tables.jobs.clear()
    assert await shop.receive_event.execute(command) == first
    assert len(shop.tables.gateway_events) == 1
    assert list(shop.tables.jobs) == [(Job.PROCESS_GATEWAY_EVENT, first.id)]


async def test_the_same_fact_under_another_event_id_is_the_same_event(
    shop: Shop, command: ReceiveGatewayEventCommand
) -> None:
    first = await shop.receive_event.execute(command)
    assert await shop.receive_event.execute(delivery(command.body, "evt00000000002")) == first
    unnamed = ReceiveGatewayEventCommand({"x-razorpay-signature": webhook_signature(command.body)}, command.body)
    assert await shop.receive_event.execute(unnamed) == first
    assert len(shop.tables.gateway_events) == 1


async def test_a_duplicate_of_a_processed_event_wakes_nobody(shop: Shop, command: ReceiveGatewayEventCommand) -> None:
    event = await shop.receive_event.execute(command)
    await shop.process_event.execute(ProcessGatewayEventCommand(event.id))
    shop.tables.jobs.clear()
    again = await shop.receive_event.execute(delivery(command.body, "evt00000000002"))
    assert (again.id, again.state) == (event.id, GatewayEventState.PROCESSED)
    assert not shop.tables.jobs


@pytest.mark.parametrize("name", ["payment.failed", "refund.created", "payment.dispute.created", "tea.ready"])
async def test_an_event_that_asks_nothing_of_us_is_kept_and_left_alone(
    shop: Shop, payment: GatewayPayment, name: str
) -> None:
    event = await shop.receive_event.execute(delivery(event_body(name, payment)))
    assert event.state is GatewayEventState.IGNORED
    (row,) = shop.tables.gateway_events.values()
    assert (row.next_attempt_at, shop.tables.jobs) == (None, {})


async def test_each_event_about_one_payment_is_an_event_of_its_own(shop: Shop, payment: GatewayPayment) -> None:
    for number, name in enumerate(("payment.authorized", "payment.captured", "order.paid")):
        await shop.receive_event.execute(delivery(event_body(name, payment), f"evt{number:011}"))
    assert len(shop.tables.gateway_events) == len(shop.tables.jobs) == 3


async def test_a_commit_that_fails_is_not_acknowledged(shop: Shop, command: ReceiveGatewayEventCommand) -> None:
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await shop.receive_event.execute(command)
    assert (shop.tables.gateway_events, shop.tables.jobs) == ({}, {})
    assert (await shop.receive_event.execute(command)).state is GatewayEventState.PENDING
