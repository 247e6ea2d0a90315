"""What comes twice, and who never comes back."""

import asyncio
from typing import Final

from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.api.ops.v1 import ops_service_pb2
from kapda.entrypoints.cli.account import Account, new_id
from kapda.entrypoints.cli.demo.purchase import Purchase
from kapda.entrypoints.cli.demo.stage import Stage, roomiest
from kapda.entrypoints.cli.demo.story import rupees

_DELIVERED_WITHIN_SECONDS: Final = 10.0
# The worker picks a job up within some milliseconds; what a replay could do wrong would be done by then.
_WORKER_SECONDS: Final = 0.5


async def a_replayed_webhook(stage: Stage, purchase: Purchase) -> None:
    """Razorpay sends every event of a finished purchase again."""
    story = stage.story
    story.act("3. Replayed webhooks")
    before = await _counts(stage, purchase.buyer, purchase.variant_id)
    webhooks = await stage.page.settled_deliveries(_DELIVERED_WITHIN_SECONDS, about=purchase.triple.razorpay_order_id)
    tries = sum(len(webhook.attempts) for webhook in webhooks)
    with story.step() as say:
        for webhook in webhooks:
            await stage.page.replay(webhook.event_id)
        again = await stage.page.settled_deliveries(_DELIVERED_WITHIN_SECONDS, about=purchase.triple.razorpay_order_id)
        say(f"{len(webhooks)} events sent again, same ids, same bytes")
    replayed = sum(len(webhook.attempts) for webhook in again) - tries
    answered = all(webhook.is_delivered for webhook in again)
    story.expect(replayed == len(webhooks) and answered, f"{replayed} replays were answered with 2xx")
    await asyncio.sleep(_WORKER_SECONDS)
    after = await _counts(stage, purchase.buyer, purchase.variant_id)
    table = story.table("", "before", "after")
    for name, count in before.items():
        table.add_row(name, str(count), str(after[name]))
    story.show(table)
    story.expect(before == after, "nothing changed")


async def _counts(stage: Stage, buyer: Account, variant_id: str) -> dict[str, int]:
    stock = await stage.stock(variant_id)
    movements = inventory_service_pb2.ListStockMovementsRequest(variant_id=variant_id, page_size=100)
    cases = ops_service_pb2.ListOpenCasesRequest(page_size=100)
    return {
        f"orders of {buyer.name}": len(await buyer.orders()),
        "pieces on hand": stock.on_hand,
        "pieces held": stock.held,
        "movements of the stock": len(
            (await stage.admin.send(stage.wire.inventory.ListStockMovements, movements)).message.movements
        ),
        "open payment cases": len((await stage.admin.send(stage.wire.ops.ListOpenCases, cases)).message.cases),
    }


async def a_double_submit(stage: Stage) -> None:
    """The browser sends PlaceOrder twice at the same moment."""
    story = stage.story
    story.act("4. PlaceOrder twice, in parallel")
    buyer = await stage.newcomer("Arjun Rao")
    checkout = await stage.check_out(buyer, roomiest(await stage.find("stole")), 1)
    triple = await stage.page.pay(checkout.razorpay_order_id)
    request_id = new_id()
    with story.step() as say:
        one, two = await asyncio.gather(*(buyer.place(checkout, triple, request_id) for _ in range(2)))
        say(f"two calls with request id {request_id}")
    story.expect(one.message == two.message, f"both answer the same order, {one.message.order.number}, byte for byte")
    story.expect(one.replayed != two.replayed, "one of them says idempotent-replayed: true")
    third = await buyer.place(checkout, triple, request_id)
    story.expect(third.replayed and third.message == one.message, "a third one, later, gets that answer too")
    story.expect(len(await buyer.orders()) == 1, f"{buyer.name} has one order")


async def a_browser_that_never_returns(stage: Stage) -> None:
    """Paid, and then the battery was empty: the webhook alone finishes the order."""
    story = stage.story
    story.act("5. A browser that never comes back")
    buyer = await stage.newcomer("Kavya Iyer")
    checkout = await stage.check_out(buyer, roomiest(await stage.find("saree")), 1)
    await stage.page.pay(checkout.razorpay_order_id)
    story.tell(f"{buyer.name} pays {rupees(checkout.total.amount_minor)} and closes the page; nobody calls PlaceOrder")
    with story.step() as say:
        checkout = await stage.until_placed(buyer, checkout.id)
        say(f"the checkout is {checkout_pb2.Checkout.State.Name(checkout.state).removeprefix('STATE_').lower()}")
    story.expect(checkout.state == checkout_pb2.Checkout.STATE_PLACED, "the webhook alone placed the order")
    orders = await buyer.orders()
    story.expect(
        [order.id for order in orders] == [checkout.order_id],
        f"{buyer.name} finds it under her orders: {', '.join(order.number for order in orders)}",
    )
