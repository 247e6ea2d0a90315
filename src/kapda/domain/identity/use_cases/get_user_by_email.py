"""Get the user of an e-mail address."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser, user_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.user import EmailAddress


@dataclass(frozen=True, slots=True)
class GetUserByEmailCommand:
    """Which address."""

    email: EmailAddress


@dataclass(frozen=True, slots=True)
class GetUserByEmail:
    """Shows an admin the account of an address, in any spelling of it."""

    unit_of_work: Callable[[], IdentityUnitOfWork]

    async def execute(self, command: GetUserByEmailCommand) -> ManagedUser:
        """The user. Raises NotFoundError (USER_NOT_FOUND)."""
        async with self.unit_of_work() as uow:
            user = await uow.users.find_by_email(command.email)
        if user is None:
            raise user_not_found()
        return ManagedUser.of(user)
