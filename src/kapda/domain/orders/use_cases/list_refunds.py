"""Reads the refunds of an order."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.refusals import order_not_found
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.ids import OrderId


@dataclass(frozen=True, slots=True)
class ListRefundsCommand:
    """Whose eyes, which order."""

    principal: Principal
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class ListRefunds:
    """The refunds of a customer's own order, or of any for an admin. Raises NotFoundError (ORDER_NOT_FOUND)."""

    unit_of_work: Callable[[], OrderUnitOfWork]

    async def execute(self, command: ListRefundsCommand) -> tuple[Refund, ...]:
        """Oldest first; an order has a handful at most, so there are no pages."""
        principal = command.principal
        owner = principal.owner
        async with self.unit_of_work() as uow:
            order = await uow.orders.get(command.order_id, owner)
            if order is None:
                raise order_not_found(command.order_id)
            return await uow.refunds.of_payment(order.payment_id)
