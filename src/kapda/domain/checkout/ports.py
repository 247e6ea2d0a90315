"""What checkouts need from outside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from kapda.domain.cart.cart import Cart
from kapda.domain.checkout.checkout import Checkout
from kapda.domain.checkout.hold_limits import HoldPressure
from kapda.domain.inventory.ports import Stock
from kapda.domain.shared.ids import CartId, CheckoutId, UserId
from kapda.domain.shared.jobs import Jobs
from kapda.domain.shared.request_log import EarlierRequest, RequestKey, RequestLog
from kapda.domain.shared.unit_of_work import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CheckoutRef:
    """What never changes of a checkout, enough to lock in order: its cart comes first."""

    id: CheckoutId
    cart_id: CartId


class Checkouts(Protocol):
    """Checkouts. `customer_id` is the owner who asks; None is the system itself. Another's checkout does not exist."""

    async def add(self, checkout: Checkout, lease_until: datetime, next_check_at: datetime) -> None:
        """Keep a new checkout with its lines, the gateway lease taken by whoever adds it.

        Raises AbortedError (CONCURRENT_UPDATE) when the cart has another live one.
        """
        ...

    async def get(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        """The checkout with its lines and the order it became."""
        ...

    async def lock(self, checkout_id: CheckoutId, customer_id: UserId | None) -> Checkout | None:
        """The same, locked until the end of the transaction."""
        ...

    async def lock_behind_cart(self, ref: CheckoutRef) -> Checkout | None:
        """The same, whosever it is, with its cart locked before it, where that still exists."""
        ...

    async def claim_and_lock(
        self, key: RequestKey, answer_type: type[T], ref: CheckoutRef
    ) -> Checkout | EarlierRequest[T] | None:
        """Claim the request as RequestLog.claim does, for what the checkout becomes; if it is the first, lock the checkout
        behind its cart. One step, because nearly every request is the first. Where there is an earlier one, nothing is
        locked."""
        ...

    async def lock_live(self, cart_id: CartId) -> Checkout | None:
        """The cart's live checkout, locked until the end of the transaction."""
        ...

    async def find_by_gateway_order(self, gateway_order_id: str) -> CheckoutRef | None:
        """Which checkout was opened with the gateway's order."""
        ...

    async def find(self, checkout_id: CheckoutId) -> CheckoutRef | None:
        """The checkout of that id, if there is one."""
        ...

    async def lease_gateway(self, checkout_id: CheckoutId, now: datetime, until: datetime) -> bool:
        """Take the right to open the gateway's order; False while somebody else has it or the checkout is not opening."""
        ...

    async def return_gateway_lease(self, checkout_id: CheckoutId, until: datetime) -> None:
        """Give the right back early, if it is still the one that was taken until then."""
        ...

    async def open(self, opened: Checkout, key: RequestKey | None) -> bool:
        """Write the state and the gateway's order of a checkout that is still opening, and with it the answer to the
        request, all at once also where nothing is around it; False, and nothing done, where the checkout came to another
        end meanwhile."""
        ...

    async def save(self, checkout: Checkout, at: datetime, look_again_at: datetime | None = None) -> None:
        """Write the state and the gateway's order; the end is marked where the state is no live one.

        `look_again_at` is when the poller should look next; None leaves that as it is.
        """
        ...

    async def schedule_check(self, checkout_id: CheckoutId, attempts: int, next_check_at: datetime | None) -> None:
        """When the poller should look again; None for never."""
        ...

    async def check_attempts(self, checkout_id: CheckoutId) -> int:
        """How often the poller has looked since the hold ran out."""
        ...

    async def due_for_check(self, at: datetime, limit: int) -> tuple[CheckoutId, ...]:
        """Checkouts the poller should look at now, longest due first."""
        ...


@dataclass(frozen=True, slots=True)
class StartBasis:
    """What the start of a checkout is decided on: the cart, its live checkout, and what the hold limits are judged by."""

    cart: Cart
    live: Checkout | None
    pressure: HoldPressure


class CheckoutStarts(Protocol):
    """Checkouts about to start, one a transaction."""

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
        """Claim the request as RequestLog.claim does, for the checkout of that id; if it is the first, lock until the end
        of the transaction, in this order, the customer's cart, the door, and the cart's live checkout. What is answered is
        read behind those locks. None where the customer has no cart; where there is an earlier request nothing is locked.

        The pressure looks at the customer's latest MOST_STARTS unpaid checkouts of the last LONGEST_WINDOW, and counts
        DOOR_LIMIT other customers with a live checkout for the door at most.
        """
        ...


class CheckoutEndUnitOfWork(UnitOfWork, Protocol):
    """What ending a checkout without an order needs."""

    @property
    def checkouts(self) -> Checkouts: ...

    @property
    def stock(self) -> Stock: ...


class CheckoutUnitOfWork(CheckoutEndUnitOfWork, Protocol):
    """What starting a checkout needs besides."""

    @property
    def requests(self) -> RequestLog: ...

    @property
    def checkout_starts(self) -> CheckoutStarts: ...

    @property
    def jobs(self) -> Jobs: ...
