"""Reads a customer's order history."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.orders.order import OrderSummary
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListOrdersCommand:
    """Whose orders, which page."""

    customer_id: UserId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListOrders:
    """Newest first."""

    unit_of_work: Callable[[], OrderUnitOfWork]

    async def execute(self, command: ListOrdersCommand) -> Page[OrderSummary]:
        """A page, empty for a customer without orders."""
        async with self.unit_of_work() as uow:
            return await uow.orders.list(command.customer_id, command.page)
