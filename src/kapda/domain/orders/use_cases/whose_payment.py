"""Whose payment is it? Only money whose gateway order names one of our checkouts is ever acted on."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kapda.domain.checkout.ports import CheckoutRef
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CheckoutId


@dataclass(frozen=True, slots=True)
class WhosePayment:
    """Finds the checkout of a payment; everything else on the account is noted as foreign and left alone."""

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    clock: Clock

    async def checkout_of(self, payment: GatewayPayment) -> CheckoutRef | None:
        """By the order we opened; failing that, by the receipt of the payment's order. None for foreign payments."""
        if payment.order_id is not None:
            async with self.unit_of_work() as uow:
                ref = await uow.checkouts.find_by_gateway_order(payment.order_id)
            if ref is not None:
                return ref
            order = await self.gateway.fetch_order(payment.order_id)
            named = _checkout_named(order.receipt) if order is not None else None
            if named is not None:
                async with self.unit_of_work() as uow:
                    ref = await uow.checkouts.find(named)
                if ref is not None:
                    return ref
        async with self.unit_of_work() as uow:
            await uow.payments.note_foreign(payment, self.clock.now())
            await uow.commit()
        return None


def _checkout_named(receipt: str | None) -> CheckoutId | None:
    try:
        return CheckoutId(UUID(receipt)) if receipt is not None else None
    except ValueError:
        return None
