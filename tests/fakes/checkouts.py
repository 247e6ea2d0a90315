"""Checkouts in memory."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from kapda.domain.checkout.checkout import LIVE, Checkout, CheckoutState
from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, UserId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.fakes.requests_and_events import InMemoryRequestLog
from tests.fakes.tables import CheckoutRow, Tables

T = TypeVar("T")


def lost_race() -> AbortedError:
    """What a broken unique key comes to."""
    return AbortedError(Reason.CONCURRENT_UPDATE, "another request changed the same thing meanwhile", retry_after=0.1)


class InMemoryCheckouts:
    """Checkouts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._requests = InMemoryRequestLog(tables)

    async def add(self, checkout: Checkout, lease_until: datetime, next_check_at: datetime) -> None:
        self._check_unique(checkout)
        self._tables.checkouts[checkout.id] = CheckoutRow(checkout, lease_until, next_check_at)

    async def get(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        row = self._tables.checkouts.get(checkout_id)
        if row is None or customer_id not in (None, row.checkout.customer_id):
            return None
        order = next((order for order in self._tables.orders.values() if order.checkout_id == checkout_id), None)
        return replace(row.checkout, order_id=order.id if order is not None else None)

    async def lock(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        return await self.get(checkout_id, customer_id)

    async def lock_behind_cart(self, ref: CheckoutRef) -> Checkout | None:
        return await self.get(ref.id, None)

    async def claim_and_lock(
        self, key: RequestKey, answer_type: type[T], ref: CheckoutRef
    ) -> Checkout | EarlierRequest[T] | None:
        return await self._requests.claim(key, answer_type, ref.id) or await self.get(ref.id, None)

    async def lock_live(self, cart_id: CartId) -> Checkout | None:
        return next(
            (
                row.checkout
                for row in self._tables.checkouts.values()
                if row.checkout.cart_id == cart_id and row.checkout.state in LIVE
            ),
            None,
        )

    async def find_by_gateway_order(self, gateway_order_id: str) -> CheckoutRef | None:
        return next(
            (
                CheckoutRef(row.checkout.id, row.checkout.cart_id)
                for row in self._tables.checkouts.values()
                if row.checkout.gateway_order_id == gateway_order_id
            ),
            None,
        )

    async def find(self, checkout_id: CheckoutId) -> CheckoutRef | None:
        row = self._tables.checkouts.get(checkout_id)
        return CheckoutRef(row.checkout.id, row.checkout.cart_id) if row is not None else None

    async def lease_gateway(self, checkout_id: CheckoutId, now: datetime, until: datetime) -> bool:
        row = self._tables.checkouts.get(checkout_id)
        if row is None or row.checkout.state is not CheckoutState.OPENING:
            return False
        if row.lease_until is not None and now < row.lease_until:
            return False
        self._tables.checkouts[checkout_id] = replace(row, lease_until=until)
        return True

    async def return_gateway_lease(self, checkout_id: CheckoutId, until: datetime) -> None:
        row = self._tables.checkouts.get(checkout_id)
        if row is not None and row.lease_until == until:
            self._tables.checkouts[checkout_id] = replace(row, lease_until=None)

    async def save(self, checkout: Checkout, at: datetime, look_again_at: datetime | None = None) -> None:
        row = self._tables.checkouts[checkout.id]
        saved = replace(row.checkout, state=checkout.state, gateway_order_id=checkout.gateway_order_id)
        self._check_unique(saved)
        again = look_again_at or row.next_check_at
        self._tables.checkouts[checkout.id] = replace(row, checkout=saved, next_check_at=again)

    async def open(self, opened: Checkout, key: RequestKey | None) -> bool:
        if self._tables.checkouts[opened.id].checkout.state is not CheckoutState.OPENING:
            return False
        await self.save(opened, opened.created_at)
        if key is not None:
            await self._requests.answer(key, opened)
        return True

    async def schedule_check(self, checkout_id: CheckoutId, attempts: int, next_check_at: datetime | None) -> None:
        row = self._tables.checkouts[checkout_id]
        self._tables.checkouts[checkout_id] = replace(row, check_attempts=attempts, next_check_at=next_check_at)

    async def check_attempts(self, checkout_id: CheckoutId) -> int:
        return self._tables.checkouts[checkout_id].check_attempts

    async def due_for_check(self, at: datetime, limit: int) -> tuple[CheckoutId, ...]:
        due = [
            (row.next_check_at, checkout_id)
            for checkout_id, row in self._tables.checkouts.items()
            if row.next_check_at is not None and row.next_check_at <= at
        ]
        return tuple(checkout_id for _, checkout_id in sorted(due)[:limit])

    def _check_unique(self, checkout: Checkout) -> None:
        for row in self._tables.checkouts.values():
            other = row.checkout
            if other.id == checkout.id:
                continue
            both_live = other.cart_id == checkout.cart_id and {other.state, checkout.state} <= LIVE
            same_order = checkout.gateway_order_id is not None and checkout.gateway_order_id == other.gateway_order_id
            if both_live or same_order:
                raise lost_race()
