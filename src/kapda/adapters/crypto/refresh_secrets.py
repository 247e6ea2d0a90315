"""Refresh tokens, from the system's source of randomness."""

from secrets import token_urlsafe

from kapda.domain.identity.refresh import RefreshSecret

SECRET_BYTES = 32


class RandomRefreshSecrets:
    """RefreshSecrets."""

    def new(self) -> RefreshSecret:
        """See the port."""
        return RefreshSecret(token_urlsafe(SECRET_BYTES))
