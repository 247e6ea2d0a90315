"""Make somebody an admin, from the command line: the first one cannot be made by another."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.administration import ManagedUser, user_state_invalid
from kapda.domain.identity.password import Password, check_rule, too_common
from kapda.domain.identity.ports import IdentityUnitOfWork, PasswordHasher, PasswordStrength, RevokedTokens
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


@dataclass(frozen=True, slots=True)
class CreateAdmin:
    """Makes the account, or gives the role to the one there is and ends its sessions. Again changes nothing."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    passwords: PasswordHasher
    strength: PasswordStrength
    revoked_tokens: RevokedTokens
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: CreateAdminCommand) -> ManagedUser:
        """The admin. Raises InvalidArgumentError (PASSWORD_TOO_WEAK), FailedPreconditionError (USER_STATE_INVALID) for
        an account that is shut or a service's, or AlreadyExistsError (EMAIL_TAKEN) when somebody signs up meanwhile."""
        async with self.unit_of_work() as uow:
            found = await uow.users.find_by_email(command.email)
        if found is None:
            return await self._make(command)
        return await self._promote(command, found.id)

    async def _make(self, command: CreateAdminCommand) -> ManagedUser:
        check_rule(command.password)
        if await self.strength.is_common(command.password, (command.email.text, command.display_name.text)):
            raise too_common()
        password_hash = await self.passwords.hash(command.password)
        now = self.clock.now()
        user = User.signed_up(UserId(self.ids.new()), command.email, command.display_name, password_hash, now)
        user.give_role(Role.ADMIN, now)
        async with self.unit_of_work() as uow:
            await uow.users.add(user)
            await uow.audit.add(self._entry(command, user))
            await uow.commit()
        return ManagedUser.of(user)

    async def _promote(self, command: CreateAdminCommand, user_id: UserId) -> ManagedUser:
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(user_id)
            if user is None:
                raise RuntimeError("accounts are never deleted from the table")
            if not user.is_active or user.role is Role.SERVICE:
                raise user_state_invalid(user)
            if not user.give_role(Role.ADMIN, now):
                return ManagedUser.of(user)
            await uow.users.save(user)
            ended = await uow.sessions.end_all(user_id, now)
            await uow.audit.add(self._entry(command, user))
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
        return ManagedUser.of(user)

    def _entry(self, command: CreateAdminCommand, user: User) -> AuditEntry:
        action = AuditAction.ADMIN_CREATED
        return AuditEntry(self.ids.new(), self.clock.now(), command.occasion, action, "user", user.id)
