"""Guests: a cart by a token, merged once into the customer's."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from kapda.domain.cart.cart import GUEST_LIFETIME, LIFETIME, MAX_LINES, Cart, expiry
from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.merge import CutReason
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.create_guest_cart import CreateGuestCart
from kapda.domain.cart.use_cases.get_cart import GetCart, GetCartCommand
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuest, IdentifyGuestCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCart, MergeGuestCartCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import VariantId
from tests.fakes.refusals import refused_with_nothing_committed
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


@dataclass
class NumberedTokens:
    """GuestTokens."""

    made: int = 0

    def new(self) -> GuestToken:
        self.made += 1
        return GuestToken(f"token-{self.made}")


@dataclass(frozen=True)
class Guest:
    """Somebody with a token, and the use cases that take it."""

    shop: Shop
    token: GuestToken

    async def owner(self) -> CartOwner:
        identify = IdentifyGuest(self.shop.database.unit_of_work, self.shop.clock)
        return await identify.execute(IdentifyGuestCommand(self.token))

    async def cart(self) -> Cart:
        get = GetCart(self.shop.database.unit_of_work, self.shop.clock, self.shop.ids)
        return await get.execute(GetCartCommand(await self.owner()))

    async def add(self, variant: VariantId, quantity: int = 1) -> Cart:
        command = AddItemCommand(await self.owner(), self.shop.new_request(), variant, quantity)
        return (await self.shop.add_item.execute(command)).value

    def merging(self) -> MergeGuestCartCommand:
        return MergeGuestCartCommand(ASHA, self.shop.new_request(), self.token)


@pytest.fixture
def create(shop: Shop) -> CreateGuestCart:
    return CreateGuestCart(shop.database.unit_of_work, NumberedTokens(), shop.clock, shop.ids)


@pytest.fixture
async def guest(shop: Shop, create: CreateGuestCart) -> Guest:
    return Guest(shop, (await create.execute()).token)


@pytest.fixture
def merge(shop: Shop) -> MergeGuestCart:
    return MergeGuestCart(shop.database.unit_of_work, shop.clock, shop.ids)


async def test_a_guest_gets_an_empty_cart_for_seven_days_and_only_the_digest_is_kept(
    shop: Shop, create: CreateGuestCart
) -> None:
    made = await create.execute()
    assert made.cart == Cart(made.cart.id, None, (), 1, shop.clock.now(), expiry(shop.clock.now(), GUEST_LIFETIME))
    (row,) = shop.tables.carts.values()
    assert row.guest_token_digest == made.token.digest
    assert made.token.secret not in repr(row)


async def test_a_guest_fills_the_cart_that_the_token_opens_and_each_change_lengthens_its_life(guest: Guest) -> None:
    kurta = guest.shop.stock_variant()
    guest.shop.clock.advance(timedelta(days=6))
    cart = await guest.add(kurta, 2)
    assert (cart.customer_id, cart.item_count, cart.expires_at) == (
        None,
        2,
        expiry(guest.shop.clock.now(), GUEST_LIFETIME),
    )
    assert await guest.cart() == cart


async def test_two_guests_have_two_carts_and_request_ids_of_their_own(guest: Guest, create: CreateGuestCart) -> None:
    shop, other = guest.shop, Guest(guest.shop, (await create.execute()).token)
    command = AddItemCommand(await guest.owner(), shop.new_request(), shop.stock_variant(), 1)
    assert not (await shop.add_item.execute(command)).replayed
    assert not (await shop.add_item.execute(replace(command, owner=await other.owner()))).replayed
    assert (await shop.add_item.execute(command)).replayed
    assert (await guest.cart()).item_count == (await other.cart()).item_count == 1


async def test_a_wrong_or_expired_token_opens_nothing(guest: Guest) -> None:
    database = guest.shop.database
    with refused_with_nothing_committed(database, Reason.GUEST_CART_UNKNOWN):
        await Guest(guest.shop, GuestToken("guessed")).owner()
    owner = await guest.owner()
    guest.shop.clock.advance(GUEST_LIFETIME + timedelta(hours=1))
    with refused_with_nothing_committed(database, Reason.GUEST_CART_UNKNOWN):
        await guest.owner()
    with refused_with_nothing_committed(database, Reason.GUEST_CART_UNKNOWN):
        await GetCart(database.unit_of_work, guest.shop.clock, guest.shop.ids).execute(GetCartCommand(owner))
    command = AddItemCommand(owner, guest.shop.new_request(), guest.shop.stock_variant(), 1)
    with refused_with_nothing_committed(database, Reason.GUEST_CART_UNKNOWN):
        await guest.shop.add_item.execute(command)


async def test_a_merge_gives_the_customer_everything_once_and_ends_the_guest_cart(
    guest: Guest, merge: MergeGuestCart
) -> None:
    shop = guest.shop
    both, own, brought = shop.stock_variant(), shop.stock_variant(), shop.stock_variant()
    await shop.add(both)
    await shop.add(own, 2)
    shop.reprice(both, rupees(1_600))
    await guest.add(both, 3)
    await guest.add(brought)
    command = guest.merging()
    answer = await merge.execute(command)
    cart = answer.value.cart
    assert {line.variant_id: line.quantity for line in cart.lines} == {both: 3, own: 2, brought: 1}
    assert {line.variant_id: line.price_when_added for line in cart.lines}[both] == rupees(1_499)
    assert (cart.customer_id, cart.version, cart.expires_at) == (ASHA, 3, expiry(shop.clock.now(), LIFETIME))
    assert (answer.value.cuts, answer.replayed, list(shop.tables.carts)) == ((), False, [cart.id])
    with refused_with_nothing_committed(shop.database, Reason.GUEST_CART_UNKNOWN):
        await guest.owner()


async def test_a_merge_sent_twice_answers_as_the_first_did(guest: Guest, merge: MergeGuestCart) -> None:
    shop, command = guest.shop, guest.merging()
    await guest.add(shop.stock_variant(), 2)
    first = await merge.execute(command)
    await shop.add(shop.stock_variant())
    assert await merge.execute(command) == replace(first, replayed=True)
    with refused_with_nothing_committed(shop.database, Reason.REQUEST_ID_REUSED):
        await merge.execute(replace(command, token=GuestToken("another")))


async def test_a_cart_already_merged_is_found_by_nobody_else(guest: Guest, merge: MergeGuestCart) -> None:
    await merge.execute(guest.merging())
    for customer in (ASHA, BINOD):
        with refused_with_nothing_committed(guest.shop.database, Reason.GUEST_CART_NOT_FOUND):
            await merge.execute(replace(guest.merging(), customer_id=customer))


async def test_an_expired_guest_cart_is_not_merged(guest: Guest, merge: MergeGuestCart) -> None:
    guest.shop.clock.advance(GUEST_LIFETIME + timedelta(hours=1))
    with refused_with_nothing_committed(guest.shop.database, Reason.GUEST_CART_NOT_FOUND):
        await merge.execute(guest.merging())


async def test_what_does_not_fit_is_told_in_the_answer(guest: Guest, merge: MergeGuestCart) -> None:
    shop = guest.shop
    own = [shop.stock_variant() for _ in range(MAX_LINES - 1)]
    for variant in own:
        await shop.add(variant)
    fits, over = shop.stock_variant(max_quantity=4), shop.stock_variant()
    await guest.add(fits, 4)
    await guest.add(over, 2)
    shop.tables.variants[fits] = replace(shop.tables.variants[fits], max_quantity=3)
    merged = (await merge.execute(guest.merging())).value
    assert len(merged.cart.lines) == MAX_LINES
    assert [(cut.reason, cut.variant_id, cut.wanted, cut.kept) for cut in merged.cuts] == [
        (CutReason.QUANTITY_LIMIT, fits, 4, 3),
        (CutReason.LINE_LIMIT, over, 2, 0),
    ]


async def test_a_merge_that_fails_to_commit_leaves_both_carts(guest: Guest, merge: MergeGuestCart) -> None:
    shop = guest.shop
    kurta = shop.stock_variant()
    await guest.add(kurta, 2)
    command = guest.merging()
    shop.database.fail_next_commit = RuntimeError("the disk is full")
    with pytest.raises(RuntimeError, match="disk"):
        await merge.execute(command)
    assert (await guest.cart()).item_count == 2
    assert not (await merge.execute(command)).replayed
