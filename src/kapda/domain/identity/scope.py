"""What an internal client may do: the scopes of its API key.

A method is open to keys only when its access rule names a scope; a key opens it only when it has that scope.
"""

from dataclasses import dataclass
from enum import Enum, unique

from kapda.domain.shared.ids import ApiKeyId, DesignerId


@unique
class Scope(Enum):
    """One kind of work."""

    INVENTORY_READ = "INVENTORY_READ"
    INVENTORY_WRITE = "INVENTORY_WRITE"
    ORDERS_READ = "ORDERS_READ"
    REFUND = "REFUND"
    OPS_READ = "OPS_READ"


# What can be bound to one house. Everything else looks across houses, so a bound key never has it.
HOUSE_SCOPES = frozenset({Scope.INVENTORY_READ, Scope.INVENTORY_WRITE})


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a call's API key allows: its scopes, for one house or, with None, for all."""

    key_id: ApiKeyId
    scopes: frozenset[Scope]
    designer_id: DesignerId | None = None
