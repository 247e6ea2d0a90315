"""Somebody who has not signed in, with the token of a guest cart."""

from dataclasses import dataclass

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.merge import MergedCart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuestCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCartCommand
from kapda.domain.shared.ids import RequestId, UserId, VariantId
from kapda.domain.shared.request_log import Answer
from tests.shop.shop import Shop, new_request


@dataclass(frozen=True, slots=True)
class Guest:
    """One guest of the shop. Every call goes through the next process and shows the token anew."""

    shop: Shop
    token: GuestToken

    async def owner(self) -> CartOwner:
        """What the access rule finds out."""
        return await self.shop.door().identify_guest().execute(IdentifyGuestCommand(self.token))

    async def add(self, variant_id: VariantId, quantity: int = 1) -> Answer[Cart]:
        """Put pieces into the cart."""
        command = AddItemCommand(await self.owner(), new_request(), variant_id, quantity)
        return await self.shop.door().add_item().execute(command)

    async def cart(self) -> Cart:
        """The cart as it is."""
        return await self.shop.door().get_cart().execute(GetCartCommand(await self.owner()))

    async def becomes(self, customer: UserId, request_id: RequestId | None = None) -> Answer[MergedCart]:
        """The customer merges the guest's cart."""
        command = MergeGuestCartCommand(customer, request_id or new_request(), self.token)
        return await self.shop.door().merge_guest_cart().execute(command)


async def new_guest(shop: Shop) -> Guest:
    """Somebody with an empty cart."""
    return Guest(shop, (await shop.door().create_guest_cart().execute()).token)
