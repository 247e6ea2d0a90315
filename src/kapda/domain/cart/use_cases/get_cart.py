"""Reads the cart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.cart.cart import LIFETIME, Cart
from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CartId, IdGenerator, UserId


@dataclass(frozen=True, slots=True)
class GetCartCommand:
    """Whose cart."""

    customer_id: UserId


@dataclass(frozen=True, slots=True)
class GetCart:
    """The cart with live prices and availability; a customer without one has an empty one."""

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock
    ids: IdGenerator

    async def execute(self, command: GetCartCommand) -> Cart:
        """Read; nothing is written."""
        async with self.unit_of_work() as uow:
            cart = await uow.carts.get(command.customer_id)
        return cart or _empty(CartId(self.ids.new()), command.customer_id, self.clock.now())


def _empty(cart_id: CartId, customer_id: UserId, now: datetime) -> Cart:
    return Cart(cart_id, customer_id, (), 0, now, now + LIFETIME)
