"""Reads one checkout."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.checkout.checkout import Checkout, checkout_not_found
from kapda.domain.checkout.ports import CheckoutUnitOfWork
from kapda.domain.shared.ids import CheckoutId, UserId


@dataclass(frozen=True, slots=True)
class GetCheckoutCommand:
    """Whose checkout, which one."""

    customer_id: UserId
    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True)
class GetCheckout:
    """A checkout of the customer's own. Raises NotFoundError (CHECKOUT_NOT_FOUND)."""

    unit_of_work: Callable[[], CheckoutUnitOfWork]

    async def execute(self, command: GetCheckoutCommand) -> Checkout:
        """Read, or not found."""
        async with self.unit_of_work() as uow:
            checkout = await uow.checkouts.get(command.checkout_id, command.customer_id)
        if checkout is None:
            raise checkout_not_found(command.checkout_id)
        return checkout
