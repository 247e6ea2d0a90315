"""Finds the cart that a guest's token opens, for one call."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.cart.guest import GuestToken, guest_cart_unknown
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class IdentifyGuestCommand:
    """The token as it came."""

    token: GuestToken


@dataclass(frozen=True, slots=True)
class IdentifyGuest:
    """Says whose call it is. Raises UnauthenticatedError (GUEST_CART_UNKNOWN)."""

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock

    async def execute(self, command: IdentifyGuestCommand) -> CartOwner:
        """The guest."""
        async with self.unit_of_work() as uow:
            cart_id = await uow.carts.find_guest(command.token.digest, self.clock.now())
        if cart_id is None:
            raise guest_cart_unknown()
        return CartOwner.of_guest(cart_id)
