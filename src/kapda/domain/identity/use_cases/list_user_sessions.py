"""List the sessions of a user, as an admin."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import user_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.session import Session
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, UserId
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListUserSessionsCommand:
    """Whose sessions, which page, and why somebody else wants to know."""

    occasion: Occasion
    user_id: UserId
    page: PageRequest


@dataclass(frozen=True, slots=True)
class ListUserSessions:
    """Shows an admin where a user is signed in, from which networks and by which programs, and writes down who looked."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: ListUserSessionsCommand) -> Page[Session]:
        """A page of the sessions that live, the latest log-in first. Raises NotFoundError (USER_NOT_FOUND)."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            if await uow.users.find(command.user_id) is None:
                raise user_not_found()
            page = await uow.sessions.list_living(command.user_id, now, command.page)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.SESSIONS_LISTED,
                    "user",
                    command.user_id,
                    {"sessions": len(page.items)},
                )
            )
            await uow.commit()
        return page
