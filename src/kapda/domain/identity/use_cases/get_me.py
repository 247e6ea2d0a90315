"""Get me."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import session_over
from kapda.domain.identity.user import User


@dataclass(frozen=True, slots=True)
class GetMeCommand:
    """Who asks."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class GetMe:
    """Tells callers who they are."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: GetMeCommand) -> User:
        """The caller's account. Raises UnauthenticatedError (SESSION_REVOKED) when it is gone or not active."""
        async with self.unit_of_work() as uow:
            user = await uow.users.find(command.principal.user_id)
        if user is None or not user.is_active:
            raise session_over()
        return user
