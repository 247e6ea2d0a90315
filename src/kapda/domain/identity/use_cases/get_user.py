"""Get a user."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser, user_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True)
class GetUserCommand:
    """Which user."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class GetUser:
    """Shows an admin an account."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: GetUserCommand) -> ManagedUser:
        """The user. Raises NotFoundError (USER_NOT_FOUND)."""
        async with self.unit_of_work() as uow:
            user = await uow.users.find(command.user_id)
        if user is None:
            raise user_not_found()
        return ManagedUser.of(user)
