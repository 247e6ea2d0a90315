"""Sets how many pieces of a variant the cart has."""

from dataclasses import dataclass

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts
from kapda.domain.cart.refusals import line_not_found, why_refused
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CartId, RequestId, VariantId
from kapda.domain.shared.request_log import Answer


@dataclass(frozen=True, slots=True)
class ChangeItemCommand:
    """`quantity` pieces in all, at least one; taking the last piece out is RemoveItem."""

    owner: CartOwner
    request_id: RequestId
    variant_id: VariantId
    quantity: int


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """Gives an existing line another quantity.

    Raises NotFoundError (CART_LINE_NOT_FOUND) and FailedPreconditionError (VARIANT_NOT_ON_SALE, INSUFFICIENT_STOCK,
    QUANTITY_LIMIT_EXCEEDED).
    """

    editor: CartEditor
    clock: Clock

    async def execute(self, command: ChangeItemCommand) -> Answer[Cart]:
        """The cart with that many pieces."""

        async def change(carts: Carts, cart_id: CartId) -> Cart:
            cart = await carts.set_quantity(cart_id, command.variant_id, command.quantity, self.clock.now())
            if cart is None:
                facts = await carts.facts(cart_id, command.variant_id)
                if facts.quantity_in_cart == 0:
                    raise line_not_found(command.variant_id)
                raise why_refused(facts, command.variant_id, command.quantity)
            return cart

        return await self.editor.edit(
            "ChangeItem", command.owner, command.request_id, (command.variant_id, command.quantity), change
        )
