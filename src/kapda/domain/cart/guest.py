"""Guests: a cart without a customer, opened by an unguessable token.

The token is shown once, in the answer that makes the cart. Only its digest is kept, so that whoever reads the database
cannot open anybody's cart. SHA-256 without salt or stretching is enough here: there is nothing to guess in 256 random bits.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from kapda.domain.shared.errors import NotFoundError, Reason, UnauthenticatedError


@dataclass(frozen=True, slots=True)
class GuestToken:
    """What opens a guest cart, as its holder sends it. Its text stays out of every representation."""

    secret: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is kept of it: 32 bytes."""
        return sha256(self.secret.encode()).digest()


class GuestTokens(Protocol):
    """Makes tokens."""

    def new(self) -> GuestToken:
        """256 bits that nobody can guess, as 43 characters of URL-safe base64."""
        ...


def guest_cart_unknown() -> UnauthenticatedError:
    """The token of a call opens no cart: it is wrong, or its cart has expired or was merged."""
    return UnauthenticatedError(Reason.GUEST_CART_UNKNOWN, "no cart is known by this guest token")


def guest_cart_not_found() -> NotFoundError:
    """The token in a signed-in customer's request opens no cart.

    Not UNAUTHENTICATED: the customer's own session is fine, and clients drop theirs on that code.
    """
    return NotFoundError(Reason.GUEST_CART_NOT_FOUND, "no cart is known by this guest token")
