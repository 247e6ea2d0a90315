"""Change the caller's password."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.password import credentials_invalid
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import NOWHERE, Contact, session_over
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation


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
    """Changes it and ends the caller's other sessions: whoever has one by a stolen password loses it."""

    unit_of_work: Callable[[], MailingUnitOfWork]
    confirmation: PasswordConfirmation
    changer: PasswordChanger
    revoked_tokens: RevokedTokens

    async def execute(self, command: ChangePasswordCommand) -> None:
        """Change it. Raises what the confirmation raises, or InvalidArgumentError (PASSWORD_TOO_WEAK)."""
        async with self.confirmation.confirmed(command.principal, command.old_password, command.contact) as (
            found,
            attempt,
        ):
            new_hash = await self.changer.hash(command.new_password, found)
            async with self.unit_of_work() as uow:
                user = await uow.users.lock(found.id)
                if user is None or not user.is_active:
                    raise session_over()
                # Changed by another call meanwhile: the old password that was checked is not the password any more.
                if user.password_hash != found.password_hash:
                    raise credentials_invalid()
                ended = await self.changer.change(uow, user, new_hash, except_session=command.principal.session_id)
                await self.confirmation.guard.let_in(uow, attempt, user.id)
                await uow.commit()
            await self.revoked_tokens.revoke(ended)
