"""Makes the tokens of a session."""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.refresh import IssuedRefreshToken, RefreshSecret, RefreshSecrets, RefreshToken, SessionTokens
from kapda.domain.identity.session import AccessClaims, AccessToken, Session
from kapda.domain.identity.session_ports import AccessTokens, RefreshTokens
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import IdGenerator


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Gives a session a new access token and a new refresh token, the latter's digest kept with the session's row."""

    access_tokens: AccessTokens
    refresh_secrets: RefreshSecrets
    ids: IdGenerator

    async def issue(self, kept: RefreshTokens, session: Session, role: Role, at: datetime) -> SessionTokens:
        """Both tokens. They are worth something once the transaction of `kept` has committed."""
        secret = self.refresh_secrets.new()
        await kept.add(RefreshToken.of(secret, session, at))
        return self.pair(secret, session, role, at)

    def pair(self, secret: RefreshSecret, session: Session, role: Role, at: datetime) -> SessionTokens:
        """A refresh token whose digest somebody else keeps, and an access token beside it."""
        claims = AccessClaims.for_session(session, role, self.ids.new(), at)
        return SessionTokens(
            AccessToken(self.access_tokens.issue(claims), claims.expires_at),
            IssuedRefreshToken(secret, session.expires_at),
        )
