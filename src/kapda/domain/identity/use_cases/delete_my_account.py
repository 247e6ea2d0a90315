"""Delete the caller's account."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.ports import PasswordHasher, RevokedTokens
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session import session_over
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class DeleteMyAccountCommand:
    """Who, and the password once more: a session left open somewhere must not be enough."""

    principal: Principal
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeleteMyAccount:
    """Ends every session and leaves of the account what tax law wants kept, or refuses and changes nothing."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    passwords: PasswordHasher
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: DeleteMyAccountCommand) -> None:
        """Delete it. Raises UnauthenticatedError (CREDENTIALS_INVALID, SESSION_REVOKED), FailedPreconditionError
        (ACCOUNT_IN_USE) or UnavailableError (OVERLOADED)."""
        user_id = command.principal.user_id
        async with self.unit_of_work() as uow:
            found = await uow.users.find(user_id)
        # Hashing happens between two transactions, never inside one: it may have to wait its turn.
        check = await self.passwords.check(Password(command.password), found.password_hash if found else None)
        if found is None or not check.is_right:
            raise credentials_invalid()
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(user_id)
            if user is None or not user.is_active or user.password_hash != found.password_hash:
                raise session_over()
            ended = await uow.sessions.end_all(user_id, now)
            await uow.personal_data.erase(user_id, now)
            # Only now: taking the cart away waits for a checkout that is being started from it. A refusal undoes it all.
            (await uow.personal_data.open_business(user_id)).check_none()
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
