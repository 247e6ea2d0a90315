"""Starts of checkouts in memory."""

from datetime import datetime
from typing import TypeVar

from kapda.domain.cart.owner import CartOwner
from kapda.domain.checkout.checkout import LIVE
from kapda.domain.checkout.hold_limits import DOOR_LIMIT, LONGEST_WINDOW, MOST_STARTS, UNPAID, HoldPressure, door_of
from kapda.domain.checkout.ports import StartBasis
from kapda.domain.shared.ids import CheckoutId, UserId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.fakes.carts import InMemoryCarts
from tests.fakes.checkouts import InMemoryCheckouts
from tests.fakes.requests_and_events import InMemoryRequestLog
from tests.fakes.tables import Tables

T = TypeVar("T")


class InMemoryCheckoutStarts:
    """CheckoutStarts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._requests = InMemoryRequestLog(tables)
        self._carts = InMemoryCarts(tables)
        self._checkouts = InMemoryCheckouts(tables)

    async def claim_and_lock(
        self,
        key: RequestKey,
        answer_type: type[T],
        checkout_id: CheckoutId,
        customer_id: UserId,
        *,
        door: bytes,
        at: datetime,
    ) -> StartBasis | EarlierRequest[T] | None:
        earlier = await self._requests.claim(key, answer_type, checkout_id)
        if earlier is not None:
            return earlier
        cart = await self._carts.lock(CartOwner.of_customer(customer_id), at)
        if cart is None:
            return None
        return StartBasis(cart, await self._checkouts.lock_live(cart.id), self._pressure(customer_id, door, at))

    def _pressure(self, customer_id: UserId, door: bytes, now: datetime) -> HoldPressure:
        checkouts = [row.checkout for row in self._tables.checkouts.values()]
        starts = sorted(
            checkout.created_at
            for checkout in checkouts
            if checkout.customer_id == customer_id
            and checkout.state in UNPAID
            and now - LONGEST_WINDOW < checkout.created_at
        )
        others = [
            checkout
            for checkout in checkouts
            if checkout.state in LIVE and checkout.customer_id != customer_id and door_of(checkout.address) == door
        ]
        return HoldPressure(tuple(reversed(starts))[:MOST_STARTS], min(len(others), DOOR_LIMIT))
