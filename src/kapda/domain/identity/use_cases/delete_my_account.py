"""Delete the caller's account."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.log_in_attempts import Attempt, Outcome
from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.ports import PasswordHasher, RevokedTokens
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session import NOWHERE, Contact, session_over
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import User
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class DeleteMyAccountCommand:
    """Who and from where, and the password once more: a session left open somewhere must not be enough."""

    principal: Principal
    password: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class DeleteMyAccount:
    """Ends every session and leaves of the account what tax law wants kept, or refuses and changes nothing.

    The password is tried like one at a log-in, and counts there: a stolen session is no place to guess from.
    """

    unit_of_work: Callable[[], ProfileUnitOfWork]
    guard: LogInGuard
    passwords: PasswordHasher
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: DeleteMyAccountCommand) -> None:
        """Delete it. Raises UnauthenticatedError (CREDENTIALS_INVALID, SESSION_REVOKED), ResourceExhaustedError
        (LOG_IN_LOCKED, LOG_IN_LINK_NEEDED), FailedPreconditionError (ACCOUNT_IN_USE) or UnavailableError (OVERLOADED)."""
        async with self.unit_of_work() as uow:
            found = await uow.users.find(command.principal.user_id)
        if found is None or not found.is_active:
            raise session_over()
        async with self.guard.trying(found.email.text, command.contact.network) as attempt:
            await self._delete(command, found, attempt)

    async def _delete(self, command: DeleteMyAccountCommand, found: User, attempt: Attempt) -> None:
        # Hashing happens between two transactions, never inside one: it may have to wait its turn.
        check = await self.passwords.check(Password(command.password), found.password_hash)
        if not check.is_right:
            raise credentials_invalid()
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(found.id)
            if user is None or not user.is_active or user.password_hash != found.password_hash:
                raise session_over()
            ended = await uow.sessions.end_all(found.id, now)
            await uow.personal_data.erase(found.id, now)
            # Only now: taking the cart away waits for a checkout that is being started from it. A refusal undoes it all.
            (await uow.personal_data.open_business(found.id)).check_none()
            await uow.log_in_attempts.record(attempt, Outcome.SUCCEEDED)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
