"""End a session."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.session import session_not_found
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True)
class EndSessionCommand:
    """Which session of whom."""

    user_id: UserId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class EndSession:
    """Ends one of a user's sessions, wherever it is: once this has answered, no process accepts a token of it."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: EndSessionCommand) -> None:
        """End it; again is fine. Raises NotFoundError (SESSION_NOT_FOUND), also for another user's."""
        async with self.unit_of_work() as uow:
            session = await uow.sessions.lock(command.session_id)
            if session is None or session.user_id != command.user_id:
                raise session_not_found()
            session.revoke(self.clock.now())
            await uow.sessions.save(session)
            await uow.commit()
        await self.revoked_tokens.revoke((session.id,))
