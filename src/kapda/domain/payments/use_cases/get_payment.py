"""Reads one payment."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.ports import PaymentsUnitOfWork
from kapda.domain.shared.errors import NotFoundError, Reason
from kapda.domain.shared.ids import PaymentId


@dataclass(frozen=True, slots=True)
class GetPaymentCommand:
    """Whose eyes, which payment."""

    principal: Principal
    payment_id: PaymentId


@dataclass(frozen=True, slots=True)
class GetPayment:
    """A payment of one's own checkouts, or any for an admin. Raises NotFoundError (PAYMENT_NOT_FOUND)."""

    unit_of_work: Callable[[], PaymentsUnitOfWork]

    async def execute(self, command: GetPaymentCommand) -> Payment:
        """Read, or not found."""
        principal = command.principal
        customer_id = principal.owner
        async with self.unit_of_work() as uow:
            payment = await uow.payments.get(command.payment_id, customer_id)
        if payment is None:
            raise NotFoundError(
                Reason.PAYMENT_NOT_FOUND,
                f"payment {command.payment_id} not found",
                metadata={"payment_id": str(command.payment_id)},
            )
        return payment
