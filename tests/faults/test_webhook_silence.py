"""R5: webhooks stop, and nobody would know, for the pollers finish everything: payments that none announced tell of it."""

from datetime import timedelta

from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.use_cases.measure_webhook_silence import LONGEST_SILENCE
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.desk import payment_of
from tests.shop.shop import Shop, webhook

MINUTES = timedelta(minutes=1)


async def silence(shop: Shop) -> timedelta:
    """What the worker measures, to the minute."""
    found = await shop.container.measure_webhook_silence().execute()
    return timedelta(minutes=found // MINUTES)


async def bought(shop: Shop, *, minutes_ago: int) -> Buyer:
    """Somebody whose payment was recorded then, and no webhook told of it."""
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant())
    await recorded(shop, order.payment_id, minutes_ago)
    return buyer


async def recorded(shop: Shop, payment_id: object, minutes_ago: int) -> None:
    """Time has passed since the payment was recorded; ids carry the time as well."""
    await shop.sql(
        "UPDATE payments SET captured_at = now() - make_interval(mins => :mins) WHERE id = :id",
        id=payment_id,
        mins=minutes_ago,
    )


async def hears_of(shop: Shop, payment: str) -> None:
    """A delivery about the payment is stored, and worked on."""
    command = ReceiveGatewayEventCommand(*webhook("payment.captured", payment, "order_1"))
    stored = await shop.container.receive_gateway_event().execute(command)
    await shop.container.process_gateway_event().execute(ProcessGatewayEventCommand(stored.id))


async def forget_deliveries(shop: Shop) -> None:
    """As if no webhook had ever come, and nobody had paid."""
    await shop.sql("DELETE FROM gateway_events")
    await shop.sql("UPDATE payments SET captured_at = now() - interval '2 days'")


async def test_r5_webhooks_that_stop_while_payments_come_in_are_noticed_and_their_return_too(shop: Shop) -> None:
    await forget_deliveries(shop)
    assert await silence(shop) == 0 * MINUTES
    await bought(shop, minutes_ago=40)
    await bought(shop, minutes_ago=20)
    assert await silence(shop) == 40 * MINUTES

    await hears_of(shop, "pay_ofSomebodyElse")
    assert await silence(shop) == 0 * MINUTES


async def test_r5_a_delivery_starts_the_clock_anew(shop: Shop) -> None:
    await forget_deliveries(shop)
    await bought(shop, minutes_ago=50)
    await hears_of(shop, "pay_ofNobody")
    await shop.sql("UPDATE gateway_events SET received_at = now() - interval '30 minutes'")
    assert await silence(shop) == 0 * MINUTES
    await bought(shop, minutes_ago=25)
    assert await silence(shop) == 25 * MINUTES


async def test_r5_a_quiet_night_is_no_silence(shop: Shop) -> None:
    await forget_deliveries(shop)
    await hears_of(shop, "pay_inTheEvening")
    await shop.sql("UPDATE gateway_events SET received_at = now() - interval '9 hours'")
    assert await silence(shop) == 0 * MINUTES


async def test_r5_a_payment_recorded_some_time_after_its_webhook_was_announced(shop: Shop) -> None:
    await forget_deliveries(shop)
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant())
    await hears_of(shop, await payment_of(shop, order))
    await shop.sql("UPDATE gateway_events SET received_at = now() - interval '22 minutes'")
    await recorded(shop, order.payment_id, minutes_ago=20)
    assert await silence(shop) == 0 * MINUTES


async def test_r5_a_silence_is_told_of_for_a_day(shop: Shop) -> None:
    await forget_deliveries(shop)
    await bought(shop, minutes_ago=LONGEST_SILENCE // MINUTES + 5)
    assert await silence(shop) == 0 * MINUTES
    await bought(shop, minutes_ago=LONGEST_SILENCE // MINUTES - 5)
    assert await silence(shop) == LONGEST_SILENCE - 5 * MINUTES


async def test_a_clock_that_was_set_back_makes_no_silence(shop: Shop) -> None:
    await forget_deliveries(shop)
    await bought(shop, minutes_ago=-30)
    assert await silence(shop) == 0 * MINUTES
