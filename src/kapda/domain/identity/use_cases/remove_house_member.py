"""Have somebody act for a house no longer."""

from dataclasses import dataclass

from kapda.domain.identity.administration import user_state_invalid
from kapda.domain.identity.house_member import HouseMember
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.use_cases.house_editor import HouseEditor, HouseMemberCommand
from kapda.domain.identity.user import Role, User
from kapda.domain.shared.audit import AuditAction


@dataclass(frozen=True, slots=True)
class RemoveHouseMember:
    """Takes the membership away, whatever the account has become meanwhile; from who is no member it takes nothing."""

    editor: HouseEditor

    async def execute(self, command: HouseMemberCommand) -> HouseMember:
        """Who was a member. Raises NotFoundError (USER_NOT_FOUND), or FailedPreconditionError (USER_STATE_INVALID) for a
        service, whose house is that of its key."""

        async def remove(uow: IdentityUnitOfWork, user: User) -> None:
            if user.role is Role.SERVICE:
                raise user_state_invalid(user)
            await uow.designer_members.remove(command.designer_id, user.id)

        return await self.editor.edit(command, AuditAction.HOUSE_MEMBER_REMOVED, remove)
