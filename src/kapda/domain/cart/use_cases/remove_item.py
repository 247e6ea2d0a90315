"""Takes a variant out of the cart."""

from dataclasses import dataclass

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts
from kapda.domain.cart.refusals import line_not_found
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.shared.ids import CartId, RequestId, VariantId
from kapda.domain.shared.request_log import Answer


@dataclass(frozen=True, slots=True)
class RemoveItemCommand:
    """Which line."""

    owner: CartOwner
    request_id: RequestId
    variant_id: VariantId


@dataclass(frozen=True, slots=True)
class RemoveItem:
    """Drops the line. Raises NotFoundError (CART_LINE_NOT_FOUND)."""

    editor: CartEditor

    async def execute(self, command: RemoveItemCommand) -> Answer[Cart]:
        """The cart without the line."""

        async def change(carts: Carts, cart_id: CartId) -> Cart:
            cart = await carts.remove_line(cart_id, command.variant_id)
            if cart is None:
                raise line_not_found(command.variant_id)
            return cart

        return await self.editor.edit("RemoveItem", command.owner, command.request_id, (command.variant_id,), change)
