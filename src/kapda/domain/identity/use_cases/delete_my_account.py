"""Delete the caller's account."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.log_in_attempts import Outcome
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session import NOWHERE, Contact, session_over
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class DeleteMyAccountCommand:
    """Who and from where, and the password once more: a session left open somewhere must not be enough."""

    principal: Principal
    password: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class DeleteMyAccount:
    """Ends every session and leaves of the account what tax law wants kept, or refuses and changes nothing."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    confirmation: PasswordConfirmation
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: DeleteMyAccountCommand) -> None:
        """Delete it. Raises what the confirmation raises, or FailedPreconditionError (ACCOUNT_IN_USE)."""
        async with self.confirmation.confirmed(command.principal, command.password, command.contact) as (
            found,
            attempt,
        ):
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
