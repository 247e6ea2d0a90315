"""Guest carts as the port promises them: opened by a token's digest, absorbed once."""

from datetime import timedelta
from uuid import UUID

from kapda.domain.cart.cart import GUEST_LIFETIME, LIFETIME, Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.shared.ids import CartId, VariantId
from tests.contracts.backing import Backing
from tests.contracts.touching import touch
from tests.fakes.samples import ASHA, NOON, rupees

CART, GUEST_CART, OTHER = (CartId(UUID(int=number)) for number in (0xCA, 0x6E, 0x6F))
OWNER, GUEST = CartOwner.of_customer(ASHA), CartOwner.of_guest(GUEST_CART)
DIGEST = bytes(range(32))
LATER = NOON + timedelta(minutes=5)
END = NOON + GUEST_LIFETIME


async def made(backing: Backing, cart_id: CartId = GUEST_CART, digest: bytes = DIGEST) -> None:
    async with backing.unit_of_work() as uow:
        await uow.carts.add_guest(cart_id, digest, NOON, END)
        await uow.commit()


async def put(backing: Backing, owner: CartOwner, variant_id: VariantId, quantity: int, minute: int = 1) -> None:
    at = NOON + timedelta(minutes=minute)
    async with backing.unit_of_work() as uow:
        cart_id = await touch(uow, owner, CART, at, END)
        assert cart_id is not None
        assert await uow.carts.add_line(cart_id, variant_id, quantity, at)
        await uow.commit()


async def read(backing: Backing, owner: CartOwner) -> Cart | None:
    async with backing.unit_of_work() as uow:
        return await uow.carts.get(owner, LATER)


async def test_a_guest_cart_is_empty_belongs_to_no_customer_and_is_found_by_its_digest(backing: Backing) -> None:
    await made(backing)
    assert await read(backing, GUEST) == Cart(GUEST_CART, None, (), 1, NOON, END)
    async with backing.unit_of_work() as uow:
        assert await uow.carts.find_guest(DIGEST, LATER) == GUEST_CART
        assert await uow.carts.find_guest(bytes(32), LATER) is None
        assert await uow.carts.lock(GUEST, LATER) == await uow.carts.get(GUEST, LATER)
        assert await uow.carts.get(OWNER, LATER) is None


async def test_a_guests_touch_moves_version_and_expiry_on_and_makes_no_cart(backing: Backing) -> None:
    await made(backing)
    async with backing.unit_of_work() as uow:
        assert await touch(uow, GUEST, OTHER, LATER, LATER + GUEST_LIFETIME) == GUEST_CART
        assert await touch(uow, CartOwner.of_guest(OTHER), OTHER, LATER, LATER + GUEST_LIFETIME) is None
        await uow.commit()
    assert await read(backing, GUEST) == Cart(GUEST_CART, None, (), 2, LATER, LATER + GUEST_LIFETIME)


async def test_a_customers_cart_is_not_opened_as_a_guests_by_its_id(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await put(backing, OWNER, kurta, 1)
    as_guest = CartOwner.of_guest(CART)
    async with backing.unit_of_work() as uow:
        assert await uow.carts.get(as_guest, LATER) is None
        assert await uow.carts.lock(as_guest, LATER) is None
        assert await touch(uow, as_guest, OTHER, LATER, END) is None


async def test_absorbing_brings_the_guests_price_and_place_and_keeps_the_customers(backing: Backing) -> None:
    shared, brought, own, left = [await backing.stock_variant(number) for number in (1, 2, 3, 4)]
    await made(backing)
    await put(backing, OWNER, shared, 1, minute=1)
    await put(backing, OWNER, own, 1, minute=3)
    for variant in (shared, brought, left):
        await backing.reprice(variant, rupees(1_600))
        await put(backing, GUEST, variant, 2, minute=2)
    await backing.reprice(brought, rupees(1_700))
    async with backing.unit_of_work() as uow:
        await uow.carts.absorb(CART, GUEST_CART, [(brought, 2), (shared, 4)], LATER)
        await uow.commit()
    cart = await read(backing, OWNER)
    assert cart is not None
    assert [(line.variant_id, line.quantity, line.price_when_added) for line in cart.lines] == [
        (shared, 4, rupees(1_499)),
        (brought, 2, rupees(1_600)),
        (own, 1, rupees(1_499)),
    ]
    assert await read(backing, GUEST) is None
    async with backing.unit_of_work() as uow:
        assert await uow.carts.find_guest(DIGEST, LATER) is None
        assert (await uow.carts.facts(GUEST_CART, left)).line_count == 0


async def test_absorbing_nothing_still_ends_the_guest_cart_and_no_other(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await made(backing)
    await made(backing, OTHER, bytes(32))
    await put(backing, CartOwner.of_guest(OTHER), kurta, 1)
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        await uow.carts.absorb(CART, GUEST_CART, [], LATER)
        await uow.commit()
    assert await read(backing, GUEST) is None
    other = await read(backing, CartOwner.of_guest(OTHER))
    assert other is not None
    assert other.item_count == 1


async def test_an_absorbed_cart_comes_back_with_a_rollback(backing: Backing) -> None:
    kurta = await backing.stock_variant()
    await made(backing)
    await put(backing, GUEST, kurta, 2)
    async with backing.unit_of_work() as uow:
        await touch(uow, OWNER, CART, NOON, NOON + LIFETIME)
        await uow.carts.absorb(CART, GUEST_CART, [(kurta, 2)], LATER)
    guest = await read(backing, GUEST)
    assert guest is not None
    assert guest.item_count == 2
    assert await read(backing, OWNER) is None
