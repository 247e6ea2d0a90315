"""What both changes of a house's members have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser, user_not_found
from kapda.domain.identity.house_member import HouseMember
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import DesignerId, IdGenerator


@dataclass(frozen=True, slots=True)
class HouseMemberCommand:
    """Whose account, which house, and by whom and why."""

    occasion: Occasion
    email: EmailAddress
    designer_id: DesignerId


@dataclass(frozen=True, slots=True)
class HouseEditor:
    """Changes the membership and writes it down in one transaction; what changes nothing is not written down."""

    unit_of_work: Callable[[], IdentityUnitOfWork]
    ids: IdGenerator
    clock: Clock

    async def edit(
        self,
        command: HouseMemberCommand,
        action: AuditAction,
        change: Callable[[IdentityUnitOfWork, User], Awaitable[None]],
    ) -> HouseMember:
        """The user after the change, which is made to a locked account. Raises NotFoundError (USER_NOT_FOUND) and what the
        change raises."""
        async with self.unit_of_work() as uow:
            user = await _lock(uow, command.email)
            before = await uow.designer_members.designers_of(user.id)
            await change(uow, user)
            after = await uow.designer_members.designers_of(user.id)
            if after != before:
                details = {"designer_id": str(command.designer_id)}
                now = self.clock.now()
                await uow.audit.add(AuditEntry(self.ids.new(), now, command.occasion, action, "user", user.id, details))
                await uow.commit()
        return HouseMember(ManagedUser.of(user), after, changed=after != before)


async def _lock(uow: IdentityUnitOfWork, email: EmailAddress) -> User:
    found = await uow.users.find_by_email(email)
    user = None if found is None else await uow.users.lock(found.id)
    # Deleted since it was found: the address is not the account's any more.
    if user is None or user.email.key != email.key:
        raise user_not_found()
    return user
