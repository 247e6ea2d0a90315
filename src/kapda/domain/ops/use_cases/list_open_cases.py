"""Reads the money that awaits a decision."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.payments.payment_case import PaymentCase
from kapda.domain.payments.ports import PaymentsUnitOfWork
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListOpenCasesCommand:
    """Which page."""

    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListOpenCases:
    """Oldest first; for admins."""

    unit_of_work: Callable[[], PaymentsUnitOfWork]

    async def execute(self, command: ListOpenCasesCommand) -> Page[PaymentCase]:
        """A page, empty when nothing is open."""
        async with self.unit_of_work() as uow:
            return await uow.cases.open_cases(command.page)
