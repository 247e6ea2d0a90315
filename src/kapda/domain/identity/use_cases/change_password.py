"""Change the caller's password."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.log_in_attempts import Attempt
from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.ports import PasswordHasher, RevokedTokens
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import NOWHERE, Contact, session_over
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.user import User
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ChangePasswordCommand:
    """Who and from where, the password so far, since a session left open somewhere must not be enough, and the one from
    now on."""

    principal: Principal
    old_password: str = field(repr=False)
    new_password: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Changes it and ends the caller's other sessions: whoever has one by a stolen password loses it.

    The old password is tried like one at a log-in, and counts there: a stolen session is no place to guess from.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    guard: LogInGuard
    passwords: PasswordHasher
    changer: PasswordChanger
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: ChangePasswordCommand) -> None:
        """Change it. Raises UnauthenticatedError (CREDENTIALS_INVALID, SESSION_REVOKED), ResourceExhaustedError
        (LOG_IN_LOCKED, LOG_IN_LINK_NEEDED), InvalidArgumentError (PASSWORD_TOO_WEAK) or UnavailableError (OVERLOADED)."""
        async with self.unit_of_work() as uow:
            found = await uow.users.find(command.principal.user_id)
        if found is None or not found.is_active:
            raise session_over()
        async with self.guard.trying(found.email.text, command.contact.network) as attempt:
            await self._change(command, found, attempt)

    async def _change(self, command: ChangePasswordCommand, found: User, attempt: Attempt) -> None:
        # Hashing happens between two transactions, never inside one: it may have to wait its turn.
        check = await self.passwords.check(Password(command.old_password), found.password_hash)
        if not check.is_right:
            raise credentials_invalid()
        new_hash = await self.changer.hash(command.new_password, found)
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(found.id)
            if user is None or not user.is_active:
                raise session_over()
            # Changed by another call meanwhile: the old password that was checked is not the password any more.
            if user.password_hash != found.password_hash:
                raise credentials_invalid()
            ended = await self.changer.change(uow, user, new_hash, except_session=command.principal.session_id)
            await self.guard.let_in(uow, attempt, user.id)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
