"""Opens a checkout's order at the gateway: the one call of starting a checkout that may end without an answer.

The gateway has no idempotency key for orders. So one process at a time holds the checkout's lease, and whoever comes
after an attempt that may have acted looks for the order by its receipt, the checkout's id, before making another. An
attempt that ends without an answer gives its lease back: the next one need not wait as it would after a crash.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.checkout.checkout import Checkout, CheckoutState, CheckoutVerb, checkout_not_found, invalid_state
from kapda.domain.checkout.policy import CAPTURE_WINDOW, GATEWAY_LEASE
from kapda.domain.checkout.ports import CheckoutEndUnitOfWork, CheckoutUnitOfWork
from kapda.domain.payments.gateway import (
    GatewayNotAskedError,
    GatewayOrder,
    GatewayOrderRequest,
    GatewayRefusedError,
    GatewayUnknownError,
)
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import AbortedError, DomainError, FailedPreconditionError, Reason
from kapda.domain.shared.ids import CheckoutId
from kapda.domain.shared.request_log import RequestKey

# A twin waits this often and this long for the first one's answer before it is told to come back.
_TWIN_POLLS = 40
_TWIN_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class OpenAtGateway:
    """Takes a checkout from opening to open, or to failed when the gateway refuses.

    `autocommit` makes units without a transaction: opening is one statement, and most calls' last.
    """

    unit_of_work: Callable[[], CheckoutUnitOfWork]
    autocommit: Callable[[], CheckoutUnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def first(self, checkout: Checkout, key: RequestKey) -> Checkout:
        """For the process that has just added the checkout and its lease with it."""
        return await self._open(checkout, key, checkout.created_at + GATEWAY_LEASE, may_have_acted=False)

    async def resume(self, checkout_id: CheckoutId, key: RequestKey | None) -> Checkout:
        """For everybody later: waits for whoever has the lease, or takes it over once it has run out.

        Raises AbortedError (REQUEST_IN_PROGRESS) when the other one takes too long, GatewayUnknownError, and
        FailedPreconditionError when the checkout can no longer be opened.
        """
        for _ in range(_TWIN_POLLS):
            now = self.clock.now()
            until = now + GATEWAY_LEASE
            async with self.unit_of_work() as uow:
                leased = await uow.checkouts.lease_gateway(checkout_id, now, until)
                checkout = await uow.checkouts.get(checkout_id, None)
                if checkout is None:
                    raise checkout_not_found(checkout_id)
                opened = checkout.state is not CheckoutState.OPENING
                if opened and key is not None:
                    await uow.requests.answer(key, _require_opened(checkout))
                await uow.commit()
            if leased and now < checkout.pay_before:
                return await self._open(checkout, key, until, may_have_acted=True)
            if opened:
                return _require_opened(checkout)
            if checkout.pay_before <= now:
                # Nobody could pay it any more; the poller lets it expire.
                raise invalid_state(checkout, CheckoutVerb.OPEN)
            await self.sleep(_TWIN_POLL_SECONDS)
        raise AbortedError(
            Reason.REQUEST_IN_PROGRESS, "the same request is still being worked on", retry_after=_TWIN_POLL_SECONDS * 10
        )

    async def _open(
        self, checkout: Checkout, key: RequestKey | None, leased_until: datetime, *, may_have_acted: bool
    ) -> Checkout:
        try:
            order = await self._order_for(checkout, may_have_acted=may_have_acted)
        except GatewayRefusedError as error:
            await self._fail(checkout.id)
            raise _refused(checkout.id) from error
        except GatewayUnknownError:
            await self._return_lease(checkout.id, leased_until)
            raise
        opened = checkout.opened(order.id)
        async with self.autocommit() as uow:
            if not await uow.checkouts.open(opened, key):
                # Superseded, given up or expired while the gateway was asked; the order made there is never shown, and
                # the answer not kept.
                return _require_opened(await uow.checkouts.get(checkout.id, None) or checkout)
            await uow.commit()
        return opened

    async def _order_for(self, checkout: Checkout, *, may_have_acted: bool) -> GatewayOrder:
        receipt = str(checkout.id)
        if may_have_acted and (found := await self._found(receipt, checkout)) is not None:
            return found
        try:
            return await self.gateway.create_order(_request_for(checkout))
        except GatewayNotAskedError:
            # Nothing to look for, and another wait in the same line would gain nobody anything.
            raise
        except GatewayUnknownError:
            if (found := await self._found(receipt, checkout)) is not None:
                return found
            raise

    async def _found(self, receipt: str, checkout: Checkout) -> GatewayOrder | None:
        found = await self.gateway.find_order(receipt)
        return found if found is not None and found.amount == checkout.total else None

    async def _return_lease(self, checkout_id: CheckoutId, until: datetime) -> None:
        async with self.unit_of_work() as uow:
            await uow.checkouts.return_gateway_lease(checkout_id, until)
            await uow.commit()

    async def _fail(self, checkout_id: CheckoutId) -> None:
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            checkout = await uow.checkouts.lock(checkout_id, None)
            if checkout is not None and checkout.allows(CheckoutVerb.FAIL):
                await end_checkout(uow, checkout.after(CheckoutVerb.FAIL), now)
                await uow.checkouts.schedule_check(checkout_id, 0, None)
                await uow.commit()


async def end_checkout(uow: CheckoutEndUnitOfWork, ended: Checkout, now: datetime) -> None:
    """Write a checkout that has come to its end without an order, and give its stock back, stock rows last."""
    await uow.checkouts.save(ended, now)
    await uow.stock.release(ended.hold_id, now, f"checkout {ended.state.value}")


def _request_for(checkout: Checkout) -> GatewayOrderRequest:
    return GatewayOrderRequest(
        receipt=str(checkout.id),
        amount=checkout.total,
        notes={"kapda_checkout_id": str(checkout.id)},
        capture_minutes=int(CAPTURE_WINDOW.total_seconds() // 60),
    )


def _require_opened(checkout: Checkout) -> Checkout:
    if checkout.state is CheckoutState.FAILED:
        raise _refused(checkout.id)
    if checkout.gateway_order_id is None:
        raise invalid_state(checkout, CheckoutVerb.OPEN)
    return checkout


def _refused(checkout_id: CheckoutId) -> DomainError:
    return FailedPreconditionError(
        Reason.CHECKOUT_REFUSED_BY_GATEWAY,
        "the payment gateway refused to open an order for this checkout",
        metadata={"checkout_id": str(checkout_id)},
    )
