"""Whom a call is made for."""

from dataclasses import dataclass

from kapda.domain.identity.scope import KeyGrant
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import Actor, ActorKind
from kapda.domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True)
class Principal:
    """A user whose session was checked for this very call, or a service whose API key was. A change of role ends the
    user's sessions.

    A service has a `grant`, and its key's id stands where a session's would: nothing that is about sessions is open to
    keys.
    """

    user_id: UserId
    role: Role
    session_id: SessionId
    grant: KeyGrant | None = None

    @property
    def owner(self) -> UserId | None:
        """Whose things the caller sees where everybody else's do not exist; None for an admin, and for a service that is
        not bound to a house, who see all."""
        if self.role is Role.ADMIN:
            return None
        return None if self.grant is not None and self.grant.designer_id is None else self.user_id

    @property
    def actor(self) -> Actor:
        """The caller as the audit log names one."""
        return Actor(ActorKind.USER if self.grant is None else ActorKind.SERVICE, self.user_id)
