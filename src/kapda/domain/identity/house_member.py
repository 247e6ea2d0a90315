"""Who acts for a designer's house.

A role says what somebody may do, membership for whom: a designer or a brand that is a member of no house finds no stock.
Every call asks for it, so it counts from the next one on and ends no session.
"""

from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import DesignerId

# Whose calls ask for the house. A service's house is that of its key.
ROLES_OF_A_HOUSE = frozenset({Role.DESIGNER, Role.BRAND})


@dataclass(frozen=True, slots=True)
class HouseMember:
    """A user, the houses that they act for now, and whether those are other than before."""

    user: ManagedUser
    designers: tuple[DesignerId, ...]
    changed: bool


def leaves_houses(before: Role, after: Role) -> bool:
    """Whether a user who gets another role leaves the houses they act for: else a membership of an earlier time would count
    again on the day on which the role comes back."""
    return before is not after and not {before, after} <= ROLES_OF_A_HOUSE
