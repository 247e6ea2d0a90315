"""Shut an account."""

from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.user_editor import UserEdit, UserEditor
from kapda.domain.identity.user import User
from kapda.domain.shared.audit import AuditAction, Occasion
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class DisableUserCommand:
    """Whose account, and why."""

    principal: Principal
    occasion: Occasion
    request_id: RequestId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class DisableUser:
    """Shuts an account and ends its sessions and signing keys; one that is shut stays as it is."""

    editor: UserEditor

    async def execute(self, command: DisableUserCommand) -> Answer[ManagedUser]:
        """The user. Raises what the editor raises."""
        body = fingerprint(command.user_id, command.occasion.reason)
        return await self.editor.edit(
            UserEdit(
                occasion=command.occasion,
                key=RequestKey(command.principal.user_id, "DisableUser", command.request_id, body),
                user_id=command.user_id,
                action=AuditAction.USER_DISABLED,
                verb=User.disable,
                takes_power=True,
            )
        )
