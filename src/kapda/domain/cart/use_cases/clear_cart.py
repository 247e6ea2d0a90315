"""Empties the cart."""

from dataclasses import dataclass

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.shared.ids import CartId, RequestId
from kapda.domain.shared.request_log import Answer


@dataclass(frozen=True, slots=True)
class ClearCartCommand:
    """Whose cart."""

    owner: CartOwner
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class ClearCart:
    """Drops every line; an empty cart stays empty."""

    editor: CartEditor

    async def execute(self, command: ClearCartCommand) -> Answer[Cart]:
        """The empty cart."""

        async def change(carts: Carts, cart_id: CartId) -> Cart:
            cart = await carts.clear(cart_id)
            if cart is None:
                raise RuntimeError("the cart was touched in this transaction and is gone")
            return cart

        return await self.editor.edit("ClearCart", command.owner, command.request_id, (), change)
