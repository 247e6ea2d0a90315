"""Change the caller's password."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.ports import PasswordHasher, RevokedTokens
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import session_over
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class ChangePasswordCommand:
    """Who, the password so far, since a session left open somewhere must not be enough, and the one from now on."""

    principal: Principal
    old_password: str = field(repr=False)
    new_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Changes it and ends the caller's other sessions: whoever has one by a stolen password loses it."""

    unit_of_work: Callable[[], MailingUnitOfWork]
    passwords: PasswordHasher
    changer: PasswordChanger
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: ChangePasswordCommand) -> None:
        """Change it. Raises UnauthenticatedError (CREDENTIALS_INVALID, SESSION_REVOKED), InvalidArgumentError
        (PASSWORD_TOO_WEAK) or UnavailableError (OVERLOADED)."""
        user_id = command.principal.user_id
        async with self.unit_of_work() as uow:
            found = await uow.users.find(user_id)
        # Hashing happens between two transactions, never inside one: it may have to wait its turn.
        check = await self.passwords.check(Password(command.old_password), found.password_hash if found else None)
        if found is None or not check.is_right:
            raise credentials_invalid()
        new_hash = await self.changer.hash(command.new_password, found)
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(user_id)
            if user is None or not user.is_active:
                raise session_over()
            # Changed by another call meanwhile: the old password that was checked is not the password any more.
            if user.password_hash != found.password_hash:
                raise credentials_invalid()
            ended = await self.changer.change(uow, user, new_hash, except_session=command.principal.session_id)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
