"""Make somebody an admin, from the command line: the first one cannot be made by another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, unique

from kapda.domain.identity.administration import ManagedUser, give_role, user_state_invalid
from kapda.domain.identity.password import Password, check_rule, too_common
from kapda.domain.identity.password_ports import PasswordHasher, PasswordStrength
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, UserId


@dataclass(frozen=True, slots=True)
class CreateAdminCommand:
    """Who is to be an admin. The name and the password are for a new account; one that exists keeps its own."""

    occasion: Occasion
    email: EmailAddress
    display_name: DisplayName
    password: Password = field(repr=False)


@unique
class AdminOutcome(Enum):
    """What became of the account with the address."""

    CREATED = "created"
    # There was one: it has its old password, not the one of the command.
    PROMOTED = "promoted"
    # It was an admin's.
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class CreatedAdmin:
    """The admin, and how the account became one's."""

    user: ManagedUser
    outcome: AdminOutcome


@dataclass(frozen=True, slots=True)
class CreateAdmin:
    """Makes the account, or gives the role to the one there is and ends its sessions. Again changes nothing.

    Whoever signed up with the address keeps the password, and so would hold the admin's: it has to be known first that they
    read its mail.
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    passwords: PasswordHasher
    strength: PasswordStrength
    revoked_tokens: RevokedTokens
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: CreateAdminCommand) -> CreatedAdmin:
        """The admin. Raises InvalidArgumentError (PASSWORD_TOO_WEAK), FailedPreconditionError (USER_STATE_INVALID) for
        an account that is shut or a service's, (EMAIL_UNCONFIRMED) for one that may be anybody's, or AlreadyExistsError
        (EMAIL_TAKEN) when somebody signs up meanwhile."""
        async with self.unit_of_work() as uow:
            found = await uow.users.find_by_email(command.email)
        if found is None:
            return await self._make(command)
        return await self._promote(command, found.id)

    async def _make(self, command: CreateAdminCommand) -> CreatedAdmin:
        check_rule(command.password)
        if await self.strength.is_common(command.password, (command.email.text, command.display_name.text)):
            raise too_common()
        password_hash = await self.passwords.hash(command.password)
        now = self.clock.now()
        user = User.signed_up(UserId(self.ids.new()), command.email, command.display_name, password_hash, now)
        user.give_role(Role.ADMIN, now)
        async with self.unit_of_work() as uow:
            await uow.users.add(user)
            await uow.audit.add(self._entry(command, user, AdminOutcome.CREATED))
            await uow.commit()
        return CreatedAdmin(ManagedUser.of(user), AdminOutcome.CREATED)

    async def _promote(self, command: CreateAdminCommand, user_id: UserId) -> CreatedAdmin:
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(user_id)
            if user is None:
                raise RuntimeError("accounts are never deleted from the table")
            if not user.is_active or user.role is Role.SERVICE:
                raise user_state_invalid(user)
            if not give_role(user, Role.ADMIN, now):
                return CreatedAdmin(ManagedUser.of(user), AdminOutcome.UNCHANGED)
            await uow.users.save(user)
            ended = await uow.sessions.end_all(user_id, now)
            # Of a time before, if there was one.
            await uow.signing_keys.revoke_all(user_id, now)
            await uow.audit.add(self._entry(command, user, AdminOutcome.PROMOTED))
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
        return CreatedAdmin(ManagedUser.of(user), AdminOutcome.PROMOTED)

    def _entry(self, command: CreateAdminCommand, user: User, outcome: AdminOutcome) -> AuditEntry:
        details = {"outcome": outcome.value}
        action = AuditAction.ADMIN_CREATED
        return AuditEntry(self.ids.new(), self.clock.now(), command.occasion, action, "user", user.id, details)
