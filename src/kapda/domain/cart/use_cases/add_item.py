"""Puts pieces of a variant into the cart."""

from dataclasses import dataclass

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts
from kapda.domain.cart.refusals import why_refused
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CartId, RequestId, VariantId
from kapda.domain.shared.request_log import Answer


@dataclass(frozen=True, slots=True)
class AddItemCommand:
    """`quantity` more pieces, at least one. The same command under another request id is another add."""

    owner: CartOwner
    request_id: RequestId
    variant_id: VariantId
    quantity: int


@dataclass(frozen=True, slots=True)
class AddItem:
    """Adds to the variant's line, making it where there is none.

    Raises NotFoundError (VARIANT_NOT_FOUND) and FailedPreconditionError (VARIANT_NOT_ON_SALE, INSUFFICIENT_STOCK,
    QUANTITY_LIMIT_EXCEEDED, CART_LINE_LIMIT_EXCEEDED).
    """

    editor: CartEditor
    clock: Clock

    async def execute(self, command: AddItemCommand) -> Answer[Cart]:
        """The cart with the pieces in it."""

        async def change(carts: Carts, cart_id: CartId) -> Cart:
            cart = await carts.add_line(cart_id, command.variant_id, command.quantity, self.clock.now())
            if cart is None:
                facts = await carts.facts(cart_id, command.variant_id)
                raise why_refused(facts, command.variant_id, facts.quantity_in_cart + command.quantity)
            return cart

        pieces = (command.variant_id, command.quantity)
        return await self.editor.edit("AddItem", command.owner, command.request_id, pieces, change, pieces=pieces)
