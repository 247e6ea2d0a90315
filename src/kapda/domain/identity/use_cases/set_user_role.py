"""Give a user another role."""

from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser, give_role
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.user_editor import UserEdit, UserEditor
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import AuditAction, Occasion
from kapda.domain.shared.errors import InvalidArgumentError
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof

# A service is made with its first key and stays one.
_PEOPLE = frozenset(Role) - {Role.SERVICE}


@dataclass(frozen=True, slots=True)
class SetUserRoleCommand:
    """Who gives whom which role, by which signed request, and why."""

    principal: Principal
    occasion: Occasion
    proof: RequestProof
    request_id: RequestId
    user_id: UserId
    role: Role


@dataclass(frozen=True, slots=True)
class SetUserRole:
    """Gives the role and ends the user's sessions, whose tokens name the old one, and signing keys."""

    editor: UserEditor

    async def execute(self, command: SetUserRoleCommand) -> Answer[ManagedUser]:
        """The user. Raises what the editor raises, InvalidArgumentError (VALIDATION_FAILED) for a service's role, and
        FailedPreconditionError (EMAIL_UNCONFIRMED) where the role gives power to whoever signed up with the address."""
        if command.role not in _PEOPLE:
            raise InvalidArgumentError.for_field("role", "is not given to people")
        body = fingerprint(command.user_id, command.role.value, command.occasion.reason)
        return await self.editor.edit(
            UserEdit(
                occasion=command.occasion,
                proof=command.proof,
                key=RequestKey(command.principal.user_id, "SetUserRole", command.request_id, body),
                user_id=command.user_id,
                action=AuditAction.ROLE_SET,
                verb=lambda user, at: give_role(user, command.role, at),
                takes_power=True,
                roles=_PEOPLE,
            )
        )
