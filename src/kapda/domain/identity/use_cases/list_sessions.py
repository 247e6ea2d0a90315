"""List sessions."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.session import Session
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListSessionsCommand:
    """Whose sessions, which page."""

    user_id: UserId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Shows where a user is signed in, the latest log-in first."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    clock: Clock

    async def execute(self, command: ListSessionsCommand) -> Page[Session]:
        """A page of the sessions that live."""
        async with self.unit_of_work() as uow:
            return await uow.sessions.list_living(command.user_id, self.clock.now(), command.page)
