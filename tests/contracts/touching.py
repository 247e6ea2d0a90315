"""Carts touched for requests of no interest."""

from datetime import datetime
from uuid import uuid4

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.ports import CartUnitOfWork
from kapda.domain.shared.ids import CartId, RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey


async def touch(
    uow: CartUnitOfWork, owner: CartOwner, new_id: CartId, at: datetime, expires_at: datetime
) -> CartId | None:
    """Touch the owner's cart, for a request that nobody has made before."""
    key = RequestKey(owner.id, "AddItem", RequestId(uuid4()), b"one body")
    found = await uow.carts.claim_and_touch(key, Cart, owner, new_id, at=at, expires_at=expires_at)
    assert not isinstance(found, EarlierRequest | Cart)
    return found
