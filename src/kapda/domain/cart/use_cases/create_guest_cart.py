"""Makes a cart for somebody who has not signed in."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.cart.cart import GUEST_LIFETIME, Cart, expiry
from kapda.domain.cart.guest import GuestToken, GuestTokens
from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CartId, IdGenerator


@dataclass(frozen=True, slots=True)
class NewGuestCart:
    """An empty cart and the token that opens it, which is told here and never again."""

    cart: Cart
    token: GuestToken


@dataclass(frozen=True, slots=True)
class CreateGuestCart:
    """Takes no request id: the token cannot be told twice, and an answer that was lost leaves an empty cart to expire."""

    unit_of_work: Callable[[], CartUnitOfWork]
    tokens: GuestTokens
    clock: Clock
    ids: IdGenerator

    async def execute(self) -> NewGuestCart:
        """The new cart."""
        token, now = self.tokens.new(), self.clock.now()
        cart = Cart(CartId(self.ids.new()), None, (), 1, now, expiry(now, GUEST_LIFETIME))
        async with self.unit_of_work() as uow:
            await uow.carts.add_guest(cart.id, token.digest, now, cart.expires_at)
            await uow.commit()
        return NewGuestCart(cart, token)
