"""How every edit of a cart runs: once a request id, under the cart's lock, answered with the cart as it became."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kapda.domain.cart.cart import GUEST_LIFETIME, LIFETIME, Cart, expiry
from kapda.domain.cart.guest import guest_cart_unknown
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import Carts, CartUnitOfWork
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CartId, IdGenerator, RequestId, VariantId
from kapda.domain.shared.request_log import Answer, EarlierRequest, RequestKey


@dataclass(frozen=True, slots=True)
class CartEditor:
    """Claims the request, locks the cart, lets `change` work on it, and keeps the answer; all in one transaction."""

    unit_of_work: Callable[[], CartUnitOfWork]
    clock: Clock
    ids: IdGenerator

    async def edit(
        self,
        method: str,
        owner: CartOwner,
        request_id: RequestId,
        body: tuple[object, ...],
        change: Callable[[Carts, CartId], Awaitable[Cart]],
        *,
        pieces: tuple[VariantId, int] | None = None,
    ) -> Answer[Cart]:
        """The cart after the change, or the earlier answer. What `change` raises undoes everything, the claim included.

        A change that adds `pieces` of a variant is made with the claim where that is possible, and `change` not called.

        Raises UnauthenticatedError (GUEST_CART_UNKNOWN) where the guest's cart expired or was merged meanwhile.
        """
        lifetime = LIFETIME if owner.guest_cart_id is None else GUEST_LIFETIME
        key = RequestKey(owner.id, method, request_id, fingerprint(*body))
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            touched = await uow.carts.claim_and_touch(
                key, Cart, owner, CartId(self.ids.new()), at=now, expires_at=expiry(now, lifetime), pieces=pieces
            )
            if isinstance(touched, EarlierRequest):
                return Answer(touched.kept_answer(), replayed=True)
            if touched is None:
                raise guest_cart_unknown()
            cart = touched if isinstance(touched, Cart) else await change(uow.carts, touched)
            await uow.requests.answer(key, cart)
            await uow.commit()
        return Answer(cart)
