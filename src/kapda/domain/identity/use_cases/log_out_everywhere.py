"""Log out everywhere."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class LogOutEverywhereCommand:
    """Whose sessions to end, and whether the caller's own goes on."""

    principal: Principal
    keep_current: bool = False


@dataclass(frozen=True, slots=True)
class LogOutEverywhere:
    """Ends the caller's sessions: once this has answered, no process accepts a token of any of them."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: LogOutEverywhereCommand) -> None:
        """End them; again is fine, and finishes what an interrupted first time left."""
        kept = command.principal.session_id if command.keep_current else None
        async with self.unit_of_work() as uow:
            ended = await uow.sessions.end_all(command.principal.user_id, self.clock.now(), kept)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
