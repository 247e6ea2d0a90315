"""F36: one guest cart, many sign-ins: one gets it all, nothing is lost or doubled. And carts that expire meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CartId, VariantId
from tests.shop.buyer import Buyer, new_buyer, new_buyers
from tests.shop.gate import at_once
from tests.shop.guest import Guest, new_guest
from tests.shop.shop import Shop, new_request


async def _quantities(buyer: Buyer) -> dict[VariantId, int]:
    return {line.variant_id: line.quantity for line in (await buyer.cart()).lines}


async def _full(shop: Shop, variants: list[VariantId], quantity: int = 2) -> Guest:
    guest = await new_guest(shop)
    for variant in variants:
        await guest.add(variant, quantity)
    return guest


async def _expire(shop: Shop, cart_id: CartId) -> None:
    await shop.sql("UPDATE carts SET expires_at = updated_at WHERE id = :id", id=cart_id)


async def test_f36_ten_sign_ins_of_one_customer_merge_one_guest_cart_once(shop: Shop) -> None:
    own, both, brought = await shop.variants(3)
    buyer, guest = await new_buyer(shop), await _full(shop, [both, brought])
    await buyer.add(own)
    await buyer.add(both)

    outcomes = await at_once([partial(guest.becomes, buyer.id) for _ in range(10)])

    assert outcomes.reasons == {Reason.GUEST_CART_NOT_FOUND: 9}
    assert await _quantities(buyer) == {own: 1, both: 2, brought: 2}
    assert await shop.count("carts WHERE guest_token_digest = :digest", digest=guest.token.digest) == 0


async def test_f36_the_same_request_sent_ten_times_is_answered_ten_times_the_same(shop: Shop) -> None:
    variants = await shop.variants(12)
    buyer, guest, request = await new_buyer(shop), await _full(shop, variants), new_request()

    outcomes = await at_once([partial(guest.becomes, buyer.id, request) for _ in range(10)])

    assert not outcomes.refusals
    assert all(answer.value == outcomes.answers[0].value for answer in outcomes.answers)
    assert [answer.replayed for answer in outcomes.answers].count(False) == 1
    assert await _quantities(buyer) == dict.fromkeys(variants, 2)


async def test_f36_of_ten_customers_with_one_token_one_gets_all_of_it(shop: Shop) -> None:
    variants = await shop.variants(5)
    guest, buyers = await _full(shop, variants), await new_buyers(shop, 10)

    outcomes = await at_once([partial(guest.becomes, buyer.id) for buyer in buyers])

    assert outcomes.reasons == {Reason.GUEST_CART_NOT_FOUND: 9}
    contents = [await _quantities(buyer) for buyer in buyers]
    assert [found for found in contents if found] == [dict.fromkeys(variants, 2)]


async def test_guests_and_customers_merging_crosswise_never_deadlock(shop: Shop) -> None:
    variants, buyers = await shop.variants(6), await new_buyers(shop, 6)
    for buyer in buyers[:3]:
        await buyer.add(variants[0])
    guests = [await _full(shop, variants[:4], number + 1) for number in range(6)]

    outcomes = await at_once([partial(guest.becomes, buyer.id) for guest in guests for buyer in buyers])

    assert outcomes.reasons == {Reason.GUEST_CART_NOT_FOUND: 30}
    got = [answer.value for answer in outcomes.answers]
    assert len(got) == 6
    receivers = {merged.cart.customer_id for merged in got}
    for number, buyer in enumerate(buyers):
        lines = 4 if buyer.id in receivers else int(number < 3)
        assert len(await _quantities(buyer)) == lines


async def test_what_a_guest_adds_during_the_merge_comes_along_or_is_refused(shop: Shop) -> None:
    variants = await shop.variants(8)
    buyer, guest = await new_buyer(shop), await _full(shop, variants[:1])
    merges = [partial(guest.becomes, buyer.id)]
    adds = [partial(guest.add, variant) for variant in variants[1:]]

    calls: list[Callable[[], Awaitable[object]]] = [*adds[:4], *merges, *adds[4:]]
    outcomes = await at_once(calls)

    assert set(outcomes.reasons) <= {Reason.GUEST_CART_UNKNOWN}
    added = len(adds) - outcomes.reasons.total()
    assert len(await _quantities(buyer)) == 1 + added


async def test_an_expired_guest_cart_is_swept_or_refused_and_never_merged(shop: Shop) -> None:
    variants = await shop.variants(2)
    buyer, guest = await new_buyer(shop), await _full(shop, variants)
    await _expire(shop, (await guest.cart()).id)

    outcomes = await at_once(
        [partial(guest.becomes, buyer.id) for _ in range(4)]
        + [partial(guest.add, variants[0]) for _ in range(4)]
        + [shop.door().expire_carts().execute for _ in range(3)]
    )

    assert outcomes.reasons == {Reason.GUEST_CART_NOT_FOUND: 4, Reason.GUEST_CART_UNKNOWN: 4}
    assert await _quantities(buyer) == {}


async def test_a_customer_back_while_the_sweep_runs_has_just_what_is_added_now(shop: Shop) -> None:
    old, new = await shop.variants(2)
    buyers = await new_buyers(shop, 12)
    for buyer in buyers:
        await buyer.add(old)
        await _expire(shop, (await buyer.cart()).id)

    outcomes = await at_once(
        [call for buyer in buyers for call in (partial(buyer.add, new), shop.door().expire_carts().execute)]
    )

    assert not outcomes.refusals
    for buyer in buyers:
        assert await _quantities(buyer) == {new: 1}


async def test_sweeps_side_by_side_delete_each_cart_once_and_none_that_is_being_paid(shop: Shop) -> None:
    await shop.container.expire_carts().execute()
    variant = await shop.variant(pieces=50)
    buyers = await new_buyers(shop, 10)
    for buyer in buyers:
        await buyer.add(variant)
    paying = [await buyer.check_out() for buyer in buyers[:3]]
    for buyer in buyers:
        await _expire(shop, (await buyer.cart()).id)

    deleted = await asyncio.gather(*(shop.door().expire_carts().execute() for _ in range(6)))

    assert sum(deleted) == 7
    for checkout, buyer in zip(paying, buyers, strict=False):
        await buyer.place(checkout, await buyer.pay(checkout))
    assert await shop.container.expire_carts().execute() == 3
