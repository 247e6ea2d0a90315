"""Log out."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class LogOutCommand:
    """Whose session to end."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class LogOut:
    """Ends the caller's own session: once this has answered, no process accepts a token of it.

    The row comes first, because the revoked tokens are refilled from the rows: written the other way round, a refill in
    between could miss it.
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: LogOutCommand) -> None:
        """End the session; again is fine, and finishes what an interrupted first time left."""
        session_id = command.principal.session_id
        async with self.unit_of_work() as uow:
            session = await uow.sessions.lock(session_id)
            if session is not None:
                session.revoke(self.clock.now())
                await uow.sessions.save(session)
            await uow.commit()
        await self.revoked_tokens.revoke((session_id,))
