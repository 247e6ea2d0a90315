"""Asks somebody who is signed in for the password once more."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kapda.domain.identity.log_in_attempts import Attempt
from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.password_ports import PasswordHasher
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Contact, session_over
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import User


@dataclass(frozen=True, slots=True)
class PasswordConfirmation:
    """The password is tried like one at a log-in, and counts there: a stolen session is no place to guess from."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    guard: LogInGuard
    passwords: PasswordHasher

    @asynccontextmanager
    async def confirmed(
        self, principal: Principal, password: str, contact: Contact
    ) -> AsyncIterator[tuple[User, Attempt]]:
        """The account as it was when its password was found right, and the attempt, whose success the block keeps.

        Raises UnauthenticatedError (CREDENTIALS_INVALID, SESSION_REVOKED), ResourceExhaustedError (LOG_IN_LOCKED,
        LOG_IN_LINK_NEEDED) or UnavailableError (OVERLOADED).
        """
        async with self.unit_of_work() as uow:
            found = await uow.users.find(principal.user_id)
        if found is None or not found.is_active:
            raise session_over()
        async with self.guard.trying(found.email.text, contact.network) as attempt:
            # Hashing happens between two transactions, never inside one: it may have to wait its turn.
            check = await self.passwords.check(Password(password), found.password_hash)
            if not check.is_right:
                raise credentials_invalid()
            yield found, attempt
