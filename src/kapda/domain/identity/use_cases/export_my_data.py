"""Hand somebody everything that is kept about them."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork


@dataclass(frozen=True, slots=True)
class ExportMyDataCommand:
    """Who asks."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class ExportMyData:
    """A copy of all personal data, of one moment."""

    unit_of_work: Callable[[], ProfileUnitOfWork]

    async def execute(self, command: ExportMyDataCommand) -> str:
        """A JSON object."""
        async with self.unit_of_work() as uow:
            return await uow.personal_data.export(command.principal.user_id)
