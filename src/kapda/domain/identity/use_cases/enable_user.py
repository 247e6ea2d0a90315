"""Open an account that was shut."""

from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.user_editor import UserEdit, UserEditor
from kapda.domain.identity.user import User
from kapda.domain.shared.audit import AuditAction, Occasion
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class EnableUserCommand:
    """Whose account, by which signed request, and why."""

    principal: Principal
    occasion: Occasion
    proof: RequestProof
    request_id: RequestId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class EnableUser:
    """Opens an account, which gives back what power it has; one that is open stays as it is."""

    editor: UserEditor

    async def execute(self, command: EnableUserCommand) -> Answer[ManagedUser]:
        """The user. Raises what the editor raises."""
        body = fingerprint(command.user_id, command.occasion.reason)
        return await self.editor.edit(
            UserEdit(
                occasion=command.occasion,
                proof=command.proof,
                key=RequestKey(command.principal.user_id, "EnableUser", command.request_id, body),
                user_id=command.user_id,
                action=AuditAction.USER_ENABLED,
                verb=User.enable,
                takes_power=False,
            )
        )
