"""Whose stock somebody may see: an admin or an unbound service everybody's, anybody else that of the houses they are a
member of."""

from kapda.domain.identity.principal import Principal
from kapda.domain.shared.errors import NotFoundError, Reason
from kapda.domain.shared.ids import UserId, VariantId


def owner_of(principal: Principal) -> UserId | None:
    """The owner to ask the repository with; None sees every house."""
    return principal.owner


def variant_not_found(variant_id: VariantId) -> NotFoundError:
    """No such variant, or another house's."""
    return NotFoundError(
        Reason.VARIANT_NOT_FOUND, f"variant {variant_id} not found", metadata={"variant_id": str(variant_id)}
    )
