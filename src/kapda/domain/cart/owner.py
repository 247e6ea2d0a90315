"""Whose cart: a signed-in customer's, or a guest's, who is known by nothing but the cart."""

from dataclasses import dataclass
from uuid import UUID

from kapda.domain.shared.ids import CartId, UserId


@dataclass(frozen=True, slots=True)
class CartOwner:
    """Exactly one of the two. Made by `of_customer` and `of_guest`."""

    customer_id: UserId | None = None
    guest_cart_id: CartId | None = None

    def __post_init__(self) -> None:
        if (self.customer_id is None) == (self.guest_cart_id is None):
            raise ValueError("a cart belongs to a customer or to a guest")

    @classmethod
    def of_customer(cls, customer_id: UserId) -> "CartOwner":
        """Whoever signed in as that user."""
        return cls(customer_id=customer_id)

    @classmethod
    def of_guest(cls, cart_id: CartId) -> "CartOwner":
        """Whoever showed the token of that guest cart."""
        return cls(guest_cart_id=cart_id)

    @property
    def id(self) -> UUID:
        """The customer's id, or the guest cart's: the scope of request ids, and the name in logs."""
        found = self.customer_id or self.guest_cart_id
        if found is None:
            raise RuntimeError("an owner without an id cannot be made")
        return found
