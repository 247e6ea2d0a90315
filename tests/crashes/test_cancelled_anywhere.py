"""F16, F19, F23: the process stops working on a purchase at any await; whoever comes again finishes it, once."""

from functools import partial

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from tests.fakes.samples import rupees
from tests.shop.buyer import new_buyers, settle
from tests.shop.cancelling import run_cancelled_at
from tests.shop.shop import Shop, new_request, webhook

# More awaits than any of these purchases has; reaching it means that the test does not end.
TOO_MANY = 300


async def _leases_run_out(shop: Shop) -> None:
    """Half a minute passes."""
    await shop.sql("UPDATE checkouts SET gateway_lease_until = now() - interval '1 second'")


async def test_starting_a_checkout_cut_off_anywhere_is_finished_by_the_same_request(shop: Shop) -> None:
    variant, buyers = await shop.variant(pieces=TOO_MANY), await new_buyers(shop, TOO_MANY)
    for at, buyer in enumerate(buyers):
        request = new_request()
        await buyer.add(variant)
        reached = await run_cancelled_at(buyer.start(rupees(1_000), request), at)
        await _leases_run_out(shop)

        checkout = (await buyer.start(rupees(1_000), request)).value

        assert checkout.state is CheckoutState.OPEN
        assert await shop.count("checkouts WHERE customer_id = :id", id=buyer.id) == 1
        receipts = [o["id"] for o in (await shop.books())["orders"] if o["receipt"] == str(checkout.id)]
        assert receipts == [checkout.gateway_order_id]
        if not reached:
            break
    else:
        pytest.fail("it never ended")
    assert await shop.level(variant) == (TOO_MANY, at + 1)


@pytest.mark.parametrize("outcome", ["success", "authorize_only"])
async def test_an_order_cut_off_anywhere_is_placed_by_the_same_request(shop: Shop, outcome: str) -> None:
    variant, buyers = await shop.variant(pieces=TOO_MANY), await new_buyers(shop, TOO_MANY)
    for at, buyer in enumerate(buyers):
        request = new_request()
        checkout = await buyer.checks_out_one(variant)
        triple = await buyer.pay(checkout, outcome=outcome)
        reached = await run_cancelled_at(buyer.place(checkout, triple, request), at)

        order = (await buyer.place(checkout, triple, request)).value

        assert order.checkout_id == checkout.id
        assert (await buyer.place(checkout, triple, request)).value == order
        assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 1
        if not reached:
            break
    else:
        pytest.fail("it never ended")
    assert await shop.level(variant) == (TOO_MANY - at - 1, 0)


@pytest.mark.parametrize("next_door", ["redelivery", "poller"])
async def test_f23_a_webhook_cut_off_anywhere_is_finished_by_the_redelivery_or_the_poller(
    shop: Shop, next_door: str
) -> None:
    variant, buyers = await shop.variant(pieces=TOO_MANY), await new_buyers(shop, TOO_MANY)
    for at, buyer in enumerate(buyers):
        checkout = await buyer.checks_out_one(variant)
        triple = await buyer.pay(checkout)
        headers, body = webhook("payment.captured", triple["razorpay_payment_id"], triple["razorpay_order_id"])

        async def receive_and_process(delivery: ReceiveGatewayEventCommand) -> None:
            stored = await shop.container.receive_gateway_event().execute(delivery)
            await shop.container.process_gateway_event().execute(ProcessGatewayEventCommand(stored.id))

        handle = partial(receive_and_process, ReceiveGatewayEventCommand(headers, body))
        reached = await run_cancelled_at(handle(), at)
        await (settle(shop, checkout.id) if next_door == "poller" else handle())

        assert await shop.count("orders WHERE checkout_id = :id", id=checkout.id) == 1
        if not reached:
            break
    else:
        pytest.fail("it never ended")
    assert await shop.level(variant) == (TOO_MANY - at - 1, 0)


async def test_expiry_cut_off_anywhere_gives_the_stock_back_once(shop: Shop) -> None:
    variant, buyers = await shop.variant(pieces=TOO_MANY), await new_buyers(shop, TOO_MANY)
    for at, buyer in enumerate(buyers):
        checkout = await buyer.checks_out_one(variant)
        await shop.sql(
            """UPDATE checkouts SET created_at = now() - interval '1 hour', pay_before = now() - interval '45 minutes',
               hold_until = now() - interval '30 minutes' WHERE id = :id""",
            id=checkout.id,
        )
        reached = await run_cancelled_at(settle(shop, checkout.id), at)
        await settle(shop, checkout.id)

        assert (await buyer.checkout(checkout.id)).state is CheckoutState.EXPIRED
        if not reached:
            break
    else:
        pytest.fail("it never ended")
    assert await shop.level(variant) == (TOO_MANY, 0)
