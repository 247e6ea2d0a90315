"""One purchase from the sign-up to the order's detail."""

from dataclasses import dataclass

from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.orders.v1 import order_pb2
from kapda.entrypoints.cli.account import Account
from kapda.entrypoints.cli.demo.stage import Stage, describe, roomiest
from kapda.entrypoints.cli.demo.story import rupees
from kapda.entrypoints.cli.razorpay_page import Triple

WORDS = "kurta"
PIECES = 2


@dataclass(frozen=True, slots=True)
class Purchase:
    """What came of it."""

    buyer: Account
    variant_id: str
    order: order_pb2.Order
    triple: Triple


async def a_purchase(stage: Stage) -> Purchase:
    """Sign up, search, look, fill the cart, check out, pay, come back."""
    story = stage.story
    story.act("2. A purchase: hold, pay, place")
    with story.step() as say:
        buyer = await stage.newcomer("Meera Nair")
        say(f"sign up: {buyer.name}")
    with story.step() as say:
        product = await stage.find(WORDS)
        variant = roomiest(product)
        say(f"search “{WORDS}”, look at one: {product.title} by {product.designer.display_name}")
    before = (await stage.stock(variant.id)).available
    story.tell(f"{describe(variant)}: {rupees(variant.price.amount_minor)} GST included; the admin sees {before} left")
    with story.step() as say:
        cart = await buyer.add(variant.id, PIECES)
        say(f"add to cart: {PIECES} pieces, together {rupees(cart.total.amount_minor)}")
    with story.step() as say:
        checkout = await buyer.start_checkout(cart.total)
        say(f"start checkout: stock held, prices fixed, Razorpay's order {checkout.razorpay_order_id}")
    held = await stage.stock(variant.id)
    story.expect(
        checkout.state == checkout_pb2.Checkout.STATE_OPEN and held.available == before - PIECES,
        f"{PIECES} pieces are held; {held.available} can still be sold",
    )
    with story.step() as say:
        triple = await stage.page.pay(checkout.razorpay_order_id)
        say(f"pay by UPI on Razorpay's page: {triple.razorpay_payment_id}, captured")
    with story.step() as say:
        order = (await buyer.place(checkout, triple)).message.order
        say(f"the browser comes back, PlaceOrder: order {order.number}")
    await _the_order(stage, buyer, checkout, order)
    return Purchase(buyer, variant.id, order, triple)


async def _the_order(stage: Stage, buyer: Account, checkout: checkout_pb2.Checkout, placed: order_pb2.Order) -> None:
    story = stage.story
    with story.step() as say:
        order = await buyer.order(placed.id)
        say(f"order detail: {rupees(order.total.amount_minor)} to {order.address.name}, {order.address.city}")
    for line in order.lines:
        story.tell(
            f"{line.quantity} × {line.title}, {rupees(line.line_total.amount_minor)} with "
            f"{line.gst_rate_basis_points / 100:g} % GST {rupees(line.gst_amount.amount_minor)}, HSN {line.hsn_code}"
        )
    story.expect(
        order.state == order_pb2.Order.STATE_PLACED
        and order.checkout_id == checkout.id
        and order.total == checkout.total,
        "the order is placed, for exactly what was paid",
    )
    webhooks = await stage.page.settled_deliveries(within=10, about=checkout.razorpay_order_id)
    story.expect(
        bool(webhooks) and all(webhook.is_delivered for webhook in webhooks),
        f"Razorpay's signed webhooks came as well: {', '.join(webhook.event for webhook in webhooks)}",
    )
    story.expect(len(await buyer.orders()) == 1, f"{buyer.name} has one order")
    await _its_mail(stage, buyer, order)


async def _its_mail(stage: Stage, buyer: Account, order: order_pb2.Order) -> None:
    story = stage.story
    with story.step() as say:
        mails = await stage.mails_about(f"Your order {order.number}")
        for mail in mails:
            say(f"the mail arrives: “{mail.subject}” to {mail.to}")
            say(f"Message-ID {mail.message_id}")
            say(" ".join(mail.lines[:2]))
    story.expect(
        len(mails) == 1
        and buyer.email in mails[0].to
        and f"order {order.number} is placed" in " ".join(mails[0].lines),
        "one mail tells of the order",
    )
