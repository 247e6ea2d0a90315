"""Have somebody act for a house."""

from dataclasses import dataclass

from kapda.domain.identity.administration import user_state_invalid
from kapda.domain.identity.api_key import designer_not_found
from kapda.domain.identity.house_member import ROLES_OF_A_HOUSE, HouseMember
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.use_cases.house_editor import HouseEditor, HouseMemberCommand
from kapda.domain.identity.user import User
from kapda.domain.shared.audit import AuditAction
from kapda.domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class AddHouseMember:
    """Makes a designer or a brand a member of the house; again changes nothing."""

    editor: HouseEditor
    clock: Clock

    async def execute(self, command: HouseMemberCommand) -> HouseMember:
        """The member. Raises NotFoundError (USER_NOT_FOUND, DESIGNER_NOT_FOUND) or FailedPreconditionError
        (USER_STATE_INVALID) for an account that is shut or has another role: the role comes first, and needs a confirmed
        address."""

        async def add(uow: IdentityUnitOfWork, user: User) -> None:
            if not user.is_active or user.role not in ROLES_OF_A_HOUSE:
                raise user_state_invalid(user)
            if not await uow.designer_members.add(command.designer_id, user.id, self.clock.now()):
                raise designer_not_found(command.designer_id)

        return await self.editor.edit(command, AuditAction.HOUSE_MEMBER_ADDED, add)
