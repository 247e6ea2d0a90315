"""The finisher's three doors at once, and money that is not what it claims to be."""

import asyncio
from functools import partial
from typing import Any

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.finish_payment import FinishPaymentCommand
from kapda.domain.shared.errors import InvalidArgumentError, NotFoundError, Reason
from tests.fakes.samples import rupees
from tests.shop.buyer import Buyer, Triple, deliver, new_buyer, settle
from tests.shop.gate import at_once
from tests.shop.meddling import meddling
from tests.shop.shop import Shop, new_request


async def _paid(shop: Shop, *, outcome: str = "success", rupees_: int = 1_000) -> tuple[Buyer, Checkout, Triple]:
    """Somebody who has checked out and paid."""
    buyer = await new_buyer(shop)
    checkout = await buyer.checks_out_one(await shop.variant(rupees=rupees_))
    return buyer, checkout, await buyer.pay(checkout, outcome=outcome)


async def _made(shop: Shop, checkout: Checkout) -> dict[str, int]:
    """What the checkout's money has become."""
    return {
        "payments": await shop.count("payments WHERE checkout_id = :id", id=checkout.id),
        "orders": await shop.count("orders WHERE checkout_id = :id", id=checkout.id),
        "cases": await shop.count("payment_cases WHERE checkout_id = :id", id=checkout.id),
    }


ONE_ORDER = {"payments": 1, "orders": 1, "cases": 0}


@pytest.mark.parametrize("outcome", ["success", "authorize_only"])
async def test_f18_browser_webhooks_and_poller_at_once_make_one_order(shop: Shop, outcome: str) -> None:
    buyer, checkout, triple = await _paid(shop, outcome=outcome)
    request = new_request()

    async def come_back(own: bool) -> Order:
        return (await buyer.place(checkout, triple, request if own else None)).value

    async def hear(event: str) -> None:
        await deliver(shop, triple, event)

    doors: list[Any] = [partial(come_back, True) for _ in range(4)]
    doors += [partial(come_back, False) for _ in range(2)]
    doors += [partial(hear, event) for event in ("payment.captured", "payment.authorized", "order.paid")]
    doors += [partial(hear, "payment.captured"), partial(hear, "payment.captured"), partial(settle, shop, checkout.id)]
    outcomes = await at_once(doors)

    assert not outcomes.refusals
    orders = [answer for answer in outcomes.answers if isinstance(answer, Order)]
    assert len(orders) == 6
    assert all(order == orders[0] for order in orders)
    assert await _made(shop, checkout) == ONE_ORDER
    captures = [p for p in (await shop.books())["payments"] if p["order_id"] == checkout.gateway_order_id]
    assert [payment["status"] for payment in captures] == ["captured"]


async def test_f26_the_same_capture_five_times_is_one_payment(shop: Shop) -> None:
    _, checkout, triple = await _paid(shop)

    outcomes = await at_once([partial(deliver, shop, triple) for _ in range(5)])
    for _ in range(2):
        await deliver(shop, triple)

    assert not outcomes.refusals
    assert await _made(shop, checkout) == ONE_ORDER
    key = "gateway_events WHERE gateway_payment_id = :id"
    assert await shop.count(key, id=triple["razorpay_payment_id"]) == 1


async def test_f25_a_triple_of_a_cheap_order_pays_no_dear_one(shop: Shop) -> None:
    thief, cheap, triple = await _paid(shop, rupees_=1)
    await thief.place(cheap, triple)
    dear = await thief.checks_out_one(await shop.variant(rupees=2_499))

    with pytest.raises(InvalidArgumentError) as refused:
        await thief.place(dear, triple)
    with pytest.raises(InvalidArgumentError) as relabelled:
        await thief.place(dear, triple | {"razorpay_order_id": dear.gateway_order_id or ""})

    assert {refused.value.reason, relabelled.value.reason} == {Reason.PAYMENT_SIGNATURE_INVALID}
    assert await _made(shop, dear) == {"payments": 0, "orders": 0, "cases": 0}


async def test_f25_a_triple_of_another_customer_is_worth_nothing(shop: Shop) -> None:
    victim, checkout, triple = await _paid(shop)
    thief = await new_buyer(shop)
    own = await thief.checks_out_one(await shop.variant())

    with pytest.raises(NotFoundError) as theirs:
        await thief.place(checkout, triple)
    with pytest.raises(InvalidArgumentError) as mine:
        await thief.place(own, triple)

    assert theirs.value.reason is Reason.CHECKOUT_NOT_FOUND
    assert mine.value.reason is Reason.PAYMENT_SIGNATURE_INVALID
    assert (await victim.place(checkout, triple)).value.customer_id == victim.id


async def test_f27_money_for_a_superseded_checkout_is_a_case_and_the_new_one_an_order(shop: Shop) -> None:
    buyer, old, old_triple = await _paid(shop)
    await buyer.add(await shop.variant())
    new = await buyer.check_out()
    new_triple = await buyer.pay(new)

    doors: list[Any] = [partial(deliver, shop, triple) for triple in (old_triple, new_triple, old_triple, new_triple)]
    outcomes = await at_once(doors + [partial(settle, shop, checkout.id) for checkout in (old, new)])

    assert not outcomes.refusals
    assert await _made(shop, old) == {"payments": 1, "orders": 0, "cases": 1}
    assert await _made(shop, new) == ONE_ORDER


async def test_f27_superseding_while_the_old_payment_lands_ends_in_an_order_or_a_case_never_in_silence(
    shop: Shop,
) -> None:
    for _ in range(6):
        buyer, old, triple = await _paid(shop)
        await buyer.add(await shop.variant())

        async def start(buyer: Buyer = buyer) -> None:
            await buyer.start(rupees(2_000))

        doors: list[Any] = [start, partial(deliver, shop, triple)]
        await at_once(doors)

        made = await _made(shop, old)
        assert made["payments"] == made["orders"] + made["cases"] == 1


async def test_abandoning_while_the_payment_lands_ends_in_an_order_or_a_case(shop: Shop) -> None:
    for _ in range(6):
        buyer, checkout, triple = await _paid(shop)

        async def give_up(buyer: Buyer = buyer, checkout: Checkout = checkout) -> None:
            await buyer.abandon(checkout.id)

        doors: list[Any] = [give_up, partial(deliver, shop, triple), partial(settle, shop, checkout.id)]
        await at_once(doors)

        made = await _made(shop, checkout)
        assert made["payments"] == made["orders"] + made["cases"] == 1


async def test_expiry_racing_a_late_capture_places_the_order_or_opens_a_case(shop: Shop) -> None:
    for _ in range(6):
        buyer, checkout, triple = await _paid(shop)
        await _run_out(shop, checkout)

        await at_once([partial(settle, shop, checkout.id), partial(deliver, shop, triple)] * 2)

        assert await _made(shop, checkout) == ONE_ORDER
        assert (await buyer.checkout(checkout.id)).state is CheckoutState.PLACED


async def test_f1_late_money_for_the_last_piece_that_another_has_held_meanwhile_is_a_case(shop: Shop) -> None:
    last = await shop.variant(pieces=1)
    late, quick = await new_buyer(shop), await new_buyer(shop)
    checkout = await late.checks_out_one(last)
    await _run_out(shop, checkout)
    await settle(shop, checkout.id)
    assert (await late.checkout(checkout.id)).state is CheckoutState.EXPIRED
    taken = await quick.checks_out_one(last)
    triple, quick_triple = await late.pay(checkout), await quick.pay(taken)

    await at_once([partial(deliver, shop, triple), partial(deliver, shop, quick_triple)])

    assert await _made(shop, checkout) == {"payments": 1, "orders": 0, "cases": 1}
    assert await _made(shop, taken) == ONE_ORDER
    assert await shop.level(last) == (0, 0)


async def test_f20_a_product_withdrawn_while_it_is_paid_for_is_still_delivered(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    variant = await shop.variant(rupees=1_500)
    checkout = await buyer.checks_out_one(variant)
    await shop.sql("UPDATE variants SET active = false, price_minor = price_minor * 2 WHERE id = :id", id=variant)
    await shop.sql(
        "UPDATE products SET state = 'archived' WHERE id = (SELECT product_id FROM variants WHERE id = :id)", id=variant
    )

    order = (await buyer.place(checkout, await buyer.pay(checkout))).value

    assert order.total == rupees(1_500)
    assert (await buyer.cart()).lines == ()


async def test_pieces_added_while_paying_stay_in_the_cart(shop: Shop) -> None:
    buyer = await new_buyer(shop)
    bought, other = await shop.variants(2)
    checkout = await buyer.checks_out_one(bought, 2)
    triple = await buyer.pay(checkout)

    edits: list[Any] = [partial(buyer.add, bought, 1), partial(buyer.add, other, 1)]
    outcomes = await at_once([*edits, partial(buyer.place, checkout, triple)])

    assert not outcomes.refusals
    assert {line.variant_id: line.quantity for line in (await buyer.cart()).lines} == {bought: 1, other: 1}


async def test_a_payment_nobody_captured_makes_nothing(shop: Shop) -> None:
    _, checkout, triple = await _paid(shop, outcome="success")
    payment_id = triple["razorpay_payment_id"]
    stranger = FinishPaymentCommand("pay_NobodysMoney1", "webhook")
    finished = await asyncio.gather(
        *(door.finish_payment().execute(stranger) for door in shop.containers),
        shop.container.finish_payment().execute(FinishPaymentCommand(payment_id, "webhook")),
    )
    assert [one.ending.value for one in finished] == ["waiting", "waiting", "waiting", "placed"]
    assert await _made(shop, checkout) == ONE_ORDER


async def _run_out(shop: Shop, checkout: Checkout) -> None:
    await shop.sql(
        """UPDATE checkouts SET created_at = created_at - interval '1 hour', pay_before = pay_before - interval '1 hour',
           hold_until = hold_until - interval '1 hour' WHERE id = :id""",
        id=checkout.id,
    )


async def test_f18_a_browser_whose_look_at_the_payment_is_older_than_the_order_still_gets_the_order(shop: Shop) -> None:
    """It saw the money authorised; the webhook captured it and placed the order before the browser's turn came."""
    browser = Shop(shop.containers[:1], shop.http, shop.catalogue)
    webhook = Shop(shop.containers[1:2], shop.http, shop.catalogue)
    buyer = await new_buyer(browser)
    checkout = await buyer.checks_out_one(await browser.variant())
    triple = await buyer.pay(checkout, outcome="authorize_only")
    async with meddling(browser.container) as gateway:
        gateway.after["fetch_payment"] = [partial(deliver, webhook, triple)]

        order = (await buyer.place(checkout, triple)).value

    assert order.checkout_id == checkout.id
    assert await _made(shop, checkout) == ONE_ORDER
