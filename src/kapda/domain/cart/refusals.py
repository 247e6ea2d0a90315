"""Why a line cannot be made or changed: the first broken rule, in the order a customer would want to know."""

from collections.abc import Callable

from kapda.domain.cart.cart import MAX_LINES
from kapda.domain.cart.ports import LineFacts
from kapda.domain.inventory.stock import Shortage, insufficient_stock
from kapda.domain.shared.errors import (
    AbortedError,
    DomainError,
    FailedPreconditionError,
    NotFoundError,
    Precondition,
    Reason,
)
from kapda.domain.shared.ids import VariantId


def _precondition(reason: Reason, message: str, variant_id: VariantId, **metadata: int) -> FailedPreconditionError:
    return FailedPreconditionError(
        reason,
        message,
        metadata={"variant_id": str(variant_id)} | {name: str(value) for name, value in metadata.items()},
        preconditions=(Precondition(reason.value, f"variants/{variant_id}", message),),
    )


def line_not_found(variant_id: VariantId) -> NotFoundError:
    """The cart has no line of that variant."""
    return NotFoundError(
        Reason.CART_LINE_NOT_FOUND,
        f"variant {variant_id} is not in the cart",
        metadata={"variant_id": str(variant_id)},
    )


def _not_found(variant_id: VariantId) -> NotFoundError:
    return NotFoundError(
        Reason.VARIANT_NOT_FOUND, f"variant {variant_id} not found", metadata={"variant_id": str(variant_id)}
    )


Rule = tuple[Callable[[LineFacts, int], bool], Callable[[LineFacts, int, VariantId], DomainError]]

# (is it broken by a line of this quantity?, what to say): the first broken rule speaks.
_RULES: tuple[Rule, ...] = (
    (lambda facts, _: not facts.variant_exists, lambda _, __, variant_id: _not_found(variant_id)),
    (
        lambda facts, _: not facts.on_sale,
        lambda _, __, variant_id: _precondition(
            Reason.VARIANT_NOT_ON_SALE, f"variant {variant_id} is not on sale", variant_id
        ),
    ),
    (
        lambda facts, quantity: quantity > facts.max_quantity,
        lambda facts, quantity, variant_id: _precondition(
            Reason.QUANTITY_LIMIT_EXCEEDED,
            f"at most {facts.max_quantity} of variant {variant_id} in a cart, {quantity} requested",
            variant_id,
            limit=facts.max_quantity,
            requested=quantity,
        ),
    ),
    (
        lambda facts, quantity: quantity > facts.available,
        lambda facts, quantity, variant_id: insufficient_stock([Shortage(variant_id, quantity, facts.available)]),
    ),
    (
        lambda facts, _: facts.quantity_in_cart == 0 and facts.line_count >= MAX_LINES,
        lambda _, __, variant_id: _precondition(
            Reason.CART_LINE_LIMIT_EXCEEDED, f"at most {MAX_LINES} lines in a cart", variant_id, limit=MAX_LINES
        ),
    ),
)


def why_refused(facts: LineFacts, variant_id: VariantId, quantity: int) -> DomainError:
    """The reason a line of `quantity` was refused.

    Facts that break no rule any more (stock came back between the two statements) make it a lost race to be retried.
    """
    for broken, refusal in _RULES:
        if broken(facts, quantity):
            return refusal(facts, quantity, variant_id)
    return AbortedError(Reason.CONCURRENT_UPDATE, "the cart or its stock changed meanwhile", retry_after=0.1)
