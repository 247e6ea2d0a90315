"""Says what has changed since the lines were put into the cart."""

from dataclasses import dataclass

from kapda.domain.cart.cart import BLOCKING, Cart, CartChange
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.get_cart import GetCart, GetCartCommand


@dataclass(frozen=True, slots=True)
class ValidateCartCommand:
    """Whose cart."""

    owner: CartOwner


@dataclass(frozen=True, slots=True)
class CartValidation:
    """The cart, every change, and whether a checkout would take it once its total is agreed to."""

    cart: Cart
    changes: tuple[CartChange, ...]

    @property
    def valid(self) -> bool:
        """There is something to buy and nothing stands in the way; a price that moved does not."""
        return bool(self.cart.lines) and not any(change.kind in BLOCKING for change in self.changes)


@dataclass(frozen=True, slots=True)
class ValidateCart:
    """Compares each line with the shop as it is now; changes nothing. Raises what GetCart raises."""

    get_cart: GetCart

    async def execute(self, command: ValidateCartCommand) -> CartValidation:
        """The verdict."""
        cart = await self.get_cart.execute(GetCartCommand(command.owner))
        return CartValidation(cart, cart.changes())
