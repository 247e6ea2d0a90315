"""The finisher's three doors, each as its own process comes through it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from kapda.domain.checkout.checkout import Checkout
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.shared.errors import FailedPreconditionError
from tests.fakes.deliveries import delivery, event_body
from tests.fakes.shop import Shop


async def browser(shop: Shop, checkout: Checkout, payment: GatewayPayment) -> None:
    """The customer comes back; being told that the money is looked into, or not there yet, is an answer too."""
    with suppress(FailedPreconditionError):
        await shop.place_order.execute(shop.coming_back(checkout, payment))


async def webhook(shop: Shop, checkout: Checkout, payment: GatewayPayment) -> None:
    """The delivery comes in, and its job runs."""
    now = shop.gateway.payments[payment.id]
    event = await shop.receive_event.execute(delivery(event_body(f"payment.{now.state.value}", now), "evt" + now.id))
    await shop.process_event.execute(ProcessGatewayEventCommand(event.id))


async def poller(shop: Shop, checkout: Checkout, payment: GatewayPayment) -> None:
    """The sweep's turn."""
    await shop.settle(checkout)


Door = Callable[[Shop, Checkout, GatewayPayment], Awaitable[None]]
DOORS: Mapping[str, Door] = {"browser": browser, "webhook": webhook, "poller": poller}
