"""Looks through the account's recent payments: the net below all three doors.

A webhook may be lost, switched off for a day, or never made; the poller of checkouts knows only checkouts. This sees
every payment on the account, and overlaps with its own last looks, because the gateway's list may lag by minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import FinishPayment, FinishPaymentCommand
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock

# How far back each look goes. The sweep runs every two minutes, so each payment is seen many times.
WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SweepRecentPayments:
    """Finishes every recent payment that holds money and is not known yet. Several workers may sweep.

    Raises GatewayUnknownError, and the first failure of a payment once it has been through all of them; what could not be
    finished is seen again by the next sweep.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    finish_payment: FinishPayment
    clock: Clock

    async def execute(self) -> int:
        """How many payments were looked into."""
        now = self.clock.now()
        recent = [payment for payment in await self.gateway.payments_since(now - WINDOW, now) if _holds_money(payment)]
        async with self.unit_of_work() as uow:
            known = await uow.payments.known([payment.id for payment in recent])
        unknown = [payment for payment in recent if payment.id not in known]
        failed: Exception | None = None
        for payment in unknown:
            try:
                await self.finish_payment.execute(FinishPaymentCommand(payment.id, "sweep"))
            except Exception as error:  # noqa: BLE001  (one payment that cannot be finished must not hide the others)
                failed = failed or error
        if failed is not None:
            raise failed
        return len(unknown)


def _holds_money(payment: GatewayPayment) -> bool:
    return payment.captured or payment.state is GatewayPaymentState.AUTHORIZED
