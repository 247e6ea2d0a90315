"""Puts a guest's pieces into the cart of the customer whom the guest turned out to be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.cart.cart import LIFETIME, expiry
from kapda.domain.cart.guest import GuestToken, guest_cart_not_found
from kapda.domain.cart.merge import MergedCart, plan_merge
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts, CartUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CartId, IdGenerator, RequestId, UserId
from kapda.domain.shared.request_log import Answer, EarlierRequest, RequestKey


@dataclass(frozen=True, slots=True)
class MergeGuestCartCommand:
    """Into whose cart, and what opens the guest's."""

    customer_id: UserId
    request_id: RequestId
    token: GuestToken


@dataclass(frozen=True, slots=True)
class MergeGuestCart:
    """Merges once: the guest cart ends in the transaction that fills the customer's.

    Of parallel merges of one guest cart one gets it; the others find none. Raises NotFoundError (GUEST_CART_NOT_FOUND).
    """

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock
    ids: IdGenerator

    async def execute(self, command: MergeGuestCartCommand) -> Answer[MergedCart]:
        """The customer's cart and what did not fit into it."""
        digest = command.token.digest
        key = RequestKey(command.customer_id, "MergeGuestCart", command.request_id, fingerprint(digest))
        owner, now = CartOwner.of_customer(command.customer_id), self.clock.now()
        async with self.unit_of_work() as uow:
            # The customer's cart is locked first, the guest's second, always: whoever waits for a guest's cart holds only a
            # customer's, for which nobody waits who holds a guest's.
            touched = await uow.carts.claim_and_touch(
                key, MergedCart, owner, CartId(self.ids.new()), at=now, expires_at=expiry(now, LIFETIME)
            )
            if isinstance(touched, EarlierRequest):
                return Answer(touched.kept_answer(), replayed=True)
            merged = await self._merge(uow.carts, owner, digest, now)
            await uow.requests.answer(key, merged)
            await uow.commit()
        return Answer(merged)

    async def _merge(self, carts: Carts, owner: CartOwner, digest: bytes, now: datetime) -> MergedCart:
        own = await carts.get(owner, now)
        guest_id = await carts.find_guest(digest, now)
        guest = await carts.lock(CartOwner.of_guest(guest_id), now) if guest_id is not None else None
        if guest is None:
            raise guest_cart_not_found()
        if own is None:
            raise RuntimeError("the cart was touched in this transaction and is gone")
        plan = plan_merge(own, guest)
        await carts.absorb(own.id, guest.id, plan.quantities, now)
        merged = await carts.get(owner, now)
        if merged is None:
            raise RuntimeError("the cart was touched in this transaction and is gone")
        return MergedCart(merged, plan.cuts)
