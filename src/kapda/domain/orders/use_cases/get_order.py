"""Reads one order."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.orders.order import Order
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.refusals import order_not_found
from kapda.domain.shared.ids import OrderId, UserId


@dataclass(frozen=True, slots=True)
class GetOrderCommand:
    """Whose order, which one."""

    customer_id: UserId
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class GetOrder:
    """An order of the customer's own with its lines and history. Raises NotFoundError (ORDER_NOT_FOUND)."""

    unit_of_work: Callable[[], OrderUnitOfWork]

    async def execute(self, command: GetOrderCommand) -> Order:
        """Read, or not found."""
        async with self.unit_of_work() as uow:
            order = await uow.orders.get(command.order_id, command.customer_id)
        if order is None:
            raise order_not_found(command.order_id)
        return order
