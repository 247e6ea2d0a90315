"""Tokens for guests, from the system's source of randomness."""

from secrets import token_urlsafe

from kapda.domain.cart.guest import GuestToken

TOKEN_BYTES = 32


class RandomGuestTokens:
    """GuestTokens."""

    def new(self) -> GuestToken:
        """See the port."""
        return GuestToken(token_urlsafe(TOKEN_BYTES))
