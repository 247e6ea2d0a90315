"""Reads the cart."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.cart.cart import LIFETIME, Cart, expiry
from kapda.domain.cart.guest import guest_cart_unknown
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CartId, IdGenerator


@dataclass(frozen=True, slots=True)
class GetCartCommand:
    """Whose cart."""

    owner: CartOwner


@dataclass(frozen=True, slots=True)
class GetCart:
    """The cart with live prices and availability; a customer without one has an empty one.

    Raises UnauthenticatedError (GUEST_CART_UNKNOWN) for a guest whose cart expired or was merged.
    """

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock
    ids: IdGenerator

    async def execute(self, command: GetCartCommand) -> Cart:
        """Read; nothing is written."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            cart = await uow.carts.get(command.owner, now)
        if cart is None and command.owner.customer_id is None:
            raise guest_cart_unknown()
        return cart or Cart(CartId(self.ids.new()), command.owner.customer_id, (), 0, now, expiry(now, LIFETIME))
