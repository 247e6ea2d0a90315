"""What goes wrong in real life, each with its right ending."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.orders.v1 import order_pb2
from kapda.entrypoints.cli.account import Account
from kapda.entrypoints.cli.demo.stage import Stage, describe, roomiest
from kapda.entrypoints.cli.demo.story import rupees
from kapda.entrypoints.cli.razorpay_page import Triple
from kapda.entrypoints.cli.wire import RefusedError

# A refund whose answer was lost is looked up ten seconds later, and the sweep that wakes it comes every five.
_REFUNDED_WITHIN_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An order called off whose refund's answer gets lost."""

    buyer: Account
    order: order_pb2.Order
    triple: Triple


async def a_lost_refund(stage: Stage) -> Cancelled:
    """The gateway sends the money back, and its answer never arrives. How it ends is told later."""
    story = stage.story
    story.act("6. A refund whose answer gets lost")
    buyer = await stage.newcomer("Ishaan Gupta")
    variant = roomiest(await stage.find("shirt"))
    before = (await stage.stock(variant.id)).on_hand
    checkout = await stage.check_out(buyer, variant, 1)
    triple = await stage.page.pay(checkout.razorpay_order_id)
    order = (await buyer.place(checkout, triple)).message.order
    await stage.page.arm(
        "lost-answer", kind="timeout_after", operation="refund", payment_id=triple.razorpay_payment_id, times=1
    )
    with story.step() as say:
        cancelled = await buyer.cancel(order.id)
        say(f"{buyer.name} cancels order {order.number}; Razorpay will act on the refund and then cut the line")
    story.expect(
        cancelled.state == order_pb2.Order.STATE_CANCELLED and (await stage.stock(variant.id)).on_hand == before,
        "the order is cancelled and its piece is back on the shelf",
    )
    return Cancelled(buyer, order, triple)


async def webhooks_lost(stage: Stage) -> None:
    """Neither the browser nor a webhook comes: the worker's own look at the account finds the money."""
    story = stage.story
    story.act("7. No browser, no webhook")
    buyer = await stage.newcomer("Diya Menon")
    checkout = await stage.check_out(buyer, roomiest(await stage.find("dupatta")), 1)
    await stage.page.arm("lost-webhooks", kind="webhook_drop", order_id=checkout.razorpay_order_id)
    await stage.page.pay(checkout.razorpay_order_id)
    story.tell(f"{buyer.name} pays {rupees(checkout.total.amount_minor)}; every webhook of it is lost on the way")
    with story.step() as say:
        checkout = await stage.until_placed(buyer, checkout.id)
        say("the worker looks through the account's recent payments (here every 3 s, else every two minutes)")
    story.expect(checkout.state == checkout_pb2.Checkout.STATE_PLACED, "the sweep alone placed the order")


async def paid_too_late(stage: Stage) -> None:
    """The last piece was given up and sold to somebody else; then the first one's money comes after all."""
    story = stage.story
    story.act("8. Paid after the piece was sold")
    variant = roomiest(await stage.find("jacket"))
    await stage.leave_pieces(variant.id, 1)
    late, quick = await stage.newcomer("Nikhil Verma"), await stage.newcomer("Sana Khan")
    given_up = await stage.check_out(late, variant, 1)
    await late.abandon(given_up.id)
    story.tell(f"{late.name} holds the last piece ({describe(variant)}), gives up, and leaves the payment page open")
    bought = await stage.check_out(quick, variant, 1)
    await quick.place(bought, await stage.page.pay(bought.razorpay_order_id))
    story.tell(f"{quick.name} buys it")
    triple = await stage.page.pay(given_up.razorpay_order_id)
    with story.step() as say:
        gone_back = await _until(lambda: _gone_back(stage, triple))
        say(f"{late.name} pays {rupees(given_up.total.amount_minor)} all the same")
    story.expect(gone_back == [given_up.total.amount_minor], "the money goes back by itself, once, all of it")
    try:
        await late.place(given_up, triple)
    except RefusedError as refusal:
        story.expect(refusal.reason == "PAYMENT_REFUNDED", f"the browser that comes back is told: {refusal.reason}")
    else:
        story.fail("a checkout that was given up became an order")
    stock = await stage.stock(variant.id)
    story.expect((stock.on_hand, stock.held) == (0, 0), "one piece, one order, nothing oversold")


async def the_lost_refund_found(stage: Stage, cancelled: Cancelled) -> None:
    """The refund was looked up by our own reference before its key was used again: one refund, not two."""
    story = stage.story
    story.act("11. The refund whose answer was lost")
    amount = cancelled.order.total.amount_minor

    async def processed() -> list[int]:
        found = await cancelled.buyer.refunds(cancelled.order.id)
        done = [refund for refund in found if refund.state == order_pb2.Refund.STATE_PROCESSED]
        return [refund.amount.amount_minor for refund in done]

    with story.step() as say:
        ours = await _until(processed)
        say(f"kapda's refunds of order {cancelled.order.number} that have gone: {len(ours)}")
    sent = await _gone_back(stage, cancelled.triple)
    story.expect(ours == [amount] and sent == [amount], f"Razorpay sent {rupees(amount)} back once, and kapda knows it")


async def _gone_back(stage: Stage, triple: Triple) -> list[int]:
    refunds = await stage.page.refunds(triple.razorpay_payment_id)
    return [refund.amount for refund in refunds if refund.status == "processed"]


async def _until(found: Callable[[], Awaitable[list[int]]]) -> list[int]:
    """What is found, once it is, or nothing after a while."""
    deadline = asyncio.get_running_loop().time() + _REFUNDED_WITHIN_SECONDS
    while True:
        amounts = await found()
        if amounts or asyncio.get_running_loop().time() > deadline:
            return amounts
        await asyncio.sleep(_POLL_SECONDS)
