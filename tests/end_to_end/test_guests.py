"""A guest fills a cart, signs up, takes it along and buys, over the real wire."""

from uuid import uuid4

import grpc
import pytest

from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.cart.v1.cart_pb2 import Cart, MergeCut
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from tests.shop.wire import CALL_SECONDS, Wire, reason_of

Metadata = tuple[tuple[str, str], ...]


async def _new_guest(wire: Wire) -> tuple[str, Metadata]:
    stub = CartServiceStub(wire.channel)
    made = await stub.CreateGuestCart(carts.CreateGuestCartRequest(), timeout=CALL_SECONDS)
    return made.guest_token, (("x-kapda-guest-cart", made.guest_token),)


async def _put(wire: Wire, guest: Metadata, variant_id: str, quantity: int) -> Cart:
    request = carts.AddItemRequest(request_id=str(uuid4()), variant_id=variant_id, quantity=quantity)
    return (await CartServiceStub(wire.channel).AddItem(request, metadata=guest, timeout=CALL_SECONDS)).cart


async def test_f36_a_guests_cart_comes_along_at_sign_up_and_is_bought(wire: Wire) -> None:
    stub, variant = CartServiceStub(wire.channel), await wire.variant()
    token, guest = await _new_guest(wire)
    filled = await _put(wire, guest, variant, 2)
    assert (await stub.GetCart(carts.GetCartRequest(), metadata=guest, timeout=CALL_SECONDS)).cart == filled
    assert 6 * 86_400 < filled.expire_time.seconds - filled.update_time.seconds <= 7 * 86_400 + 3_600

    customer = await wire.sign_up()
    request = carts.MergeGuestCartRequest(request_id=str(uuid4()), guest_token=token)
    call = stub.MergeGuestCart(request, metadata=customer.metadata, timeout=CALL_SECONDS)
    merged = await call
    assert [(line.variant_id, line.quantity) for line in merged.cart.lines] == [(variant, 2)]
    assert list(merged.cuts) == []

    again = stub.MergeGuestCart(request, metadata=customer.metadata, timeout=CALL_SECONDS)
    assert await again == merged
    assert ("idempotent-replayed", "true") in tuple(await again.trailing_metadata())
    with pytest.raises(grpc.aio.AioRpcError) as gone:
        await _put(wire, guest, variant, 1)
    assert (gone.value.code(), reason_of(gone.value)) == (grpc.StatusCode.UNAUTHENTICATED, "GUEST_CART_UNKNOWN")

    checkout = await customer.start(await customer.checkout_request())
    order = await customer.place(customer.coming_back(checkout, await wire.pay(checkout)))
    assert order.total == checkout.total
    await wire.check_promises()


async def test_pieces_over_a_limit_lowered_meanwhile_are_told_and_a_stranger_gets_nothing(wire: Wire) -> None:
    stub, variant = CartServiceStub(wire.channel), await wire.variant()
    token, guest = await _new_guest(wire)
    await _put(wire, guest, variant, 3)
    await wire.database.execute(
        """UPDATE products SET max_quantity_per_line = 2
           WHERE id = (SELECT product_id FROM variants WHERE id = $1::uuid)""",
        variant,
    )
    customer, stranger = await wire.sign_up(), await wire.sign_up()

    request = carts.MergeGuestCartRequest(request_id=str(uuid4()), guest_token=token)
    merged = await stub.MergeGuestCart(request, metadata=customer.metadata, timeout=CALL_SECONDS)
    (cut,) = merged.cuts
    assert (cut.reason, cut.variant_id, cut.wanted_quantity, cut.kept_quantity) == (
        MergeCut.REASON_QUANTITY_LIMIT,
        variant,
        3,
        2,
    )
    assert cut.title == merged.cart.lines[0].title
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.MergeGuestCart(request, metadata=stranger.metadata, timeout=CALL_SECONDS)
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.NOT_FOUND, "GUEST_CART_NOT_FOUND")
