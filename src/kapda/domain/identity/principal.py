"""Whom a call is made for."""

from dataclasses import dataclass

from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, UserId


@dataclass(frozen=True, slots=True)
class Principal:
    """A user whose session was checked for this very call. A change of role ends the user's sessions."""

    user_id: UserId
    role: Role
    session_id: SessionId
