"""Starts a checkout: prices fixed, stock held, and an order at the gateway to pay."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from kapda.domain.checkout.checkout import Checkout, CheckoutVerb
from kapda.domain.checkout.hold_limits import check_hold_limits, door_of
from kapda.domain.checkout.policy import GATEWAY_LEASE, ShippingPolicy
from kapda.domain.checkout.ports import CheckoutUnitOfWork, StartBasis
from kapda.domain.checkout.pricing import price
from kapda.domain.checkout.use_cases.open_at_gateway import OpenAtGateway
from kapda.domain.inventory.stock import HoldLine, insufficient_stock
from kapda.domain.shared.address import Address
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CheckoutId, IdGenerator, RequestId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer, EarlierRequest, RequestKey

# GST rates change at midnight where the tax is due.
INDIA = timezone(timedelta(hours=5, minutes=30))


@dataclass(frozen=True, slots=True)
class StartCheckoutCommand:
    """`expected_total` is what the customer was shown and agrees to pay, shipping included."""

    customer_id: UserId
    request_id: RequestId
    address: Address
    expected_total: Money

    @property
    def key(self) -> RequestKey:
        """One effect for the customer's request id."""
        return RequestKey(
            self.customer_id, "StartCheckout", self.request_id, fingerprint(self.address, self.expected_total)
        )


@dataclass(frozen=True, slots=True)
class StartCheckout:
    """Hold first, then the gateway, each committed before the next.

    An unchanged cart with a live checkout is given that one again, so that two tabs cannot pay twice; a changed cart
    supersedes it. A refusal leaves nothing behind and is judged anew at the next try. A crash after the hold leaves the
    checkout opening; a retry of the request, or the poller, resumes there.

    Raises what `price` raises, FailedPreconditionError (INSUFFICIENT_STOCK, CHECKOUT_STATE_INVALID while a payment is
    being captured, CHECKOUT_REFUSED_BY_GATEWAY), ResourceExhaustedError (RATE_LIMITED), GatewayUnknownError and
    AbortedError (REQUEST_IN_PROGRESS).
    """

    unit_of_work: Callable[[], CheckoutUnitOfWork]
    open_at_gateway: OpenAtGateway
    shipping: ShippingPolicy
    clock: Clock
    ids: IdGenerator

    async def execute(self, command: StartCheckoutCommand) -> Answer[Checkout]:
        """The checkout, open for payment."""
        key = command.key
        new_id = CheckoutId(self.ids.new())
        reserved = await self._reserve(command, key, new_id)
        if isinstance(reserved, EarlierRequest):
            if reserved.answer is not None:
                return Answer(reserved.answer, replayed=True)
            made = CheckoutId(reserved.resource_id or new_id)
            return Answer(await self.open_at_gateway.resume(made, key), replayed=True)
        if reserved.id != new_id:
            return Answer(await self.open_at_gateway.resume(reserved.id, key))
        return Answer(await self.open_at_gateway.first(reserved, key))

    async def _reserve(
        self, command: StartCheckoutCommand, key: RequestKey, new_id: CheckoutId
    ) -> Checkout | EarlierRequest[Checkout]:
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            basis = await uow.checkout_starts.claim_and_lock(
                key, Checkout, new_id, command.customer_id, door=door_of(command.address), at=now
            )
            if isinstance(basis, EarlierRequest):
                return basis
            if basis is None:
                raise FailedPreconditionError(Reason.CART_EMPTY, "the cart is empty")
            today, live = now.astimezone(INDIA).date(), basis.live
            priced = price(basis.cart, command.address, self.shipping, command.expected_total, today)
            if live is not None and live.serves(priced.content_digest, now):
                await uow.requests.rebind(key, live.id)
                await uow.commit()
                return live
            checkout = priced.checkout(new_id, command.customer_id, now)
            await _replace(uow, basis, checkout, now)
            await uow.commit()
        return checkout


async def _replace(uow: CheckoutUnitOfWork, basis: StartBasis, checkout: Checkout, now: datetime) -> None:
    """Write the new checkout in the place of the live one, stock last: what both of them touch is locked in one order."""
    lines = [HoldLine(line.variant_id, line.quantity) for line in checkout.lines]
    live, pressure = basis.live, basis.pressure
    if live is not None:
        await uow.checkouts.save(live.after(CheckoutVerb.SUPERSEDE), now)
        pressure = pressure.with_unpaid(live.created_at)
    check_hold_limits(pressure, now)
    await uow.checkouts.add(checkout, now + GATEWAY_LEASE, now + GATEWAY_LEASE)
    if live is not None:
        await uow.stock.lock([line.variant_id for line in (*live.lines, *checkout.lines)])
        await uow.stock.release(live.hold_id, now, "checkout superseded")
    shortages = await uow.stock.hold(checkout.hold_id, lines, now)
    if shortages:
        raise insufficient_stock(shortages)
