"""Get the profile."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session import session_over


@dataclass(frozen=True, slots=True)
class GetProfileCommand:
    """Who asks."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class GetProfile:
    """The caller's own profile."""

    unit_of_work: Callable[[], ProfileUnitOfWork]

    async def execute(self, command: GetProfileCommand) -> Profile:
        """The profile. Raises UnauthenticatedError (SESSION_REVOKED) when the account is gone."""
        async with self.unit_of_work() as uow:
            profile = await uow.profiles.find(command.principal.user_id)
        if profile is None:
            raise session_over()
        return profile
