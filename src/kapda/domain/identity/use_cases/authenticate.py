"""Authenticate: from a token to whom the call is made for."""

from collections.abc import Collection
from dataclasses import dataclass, field

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import REVOCATION_MEMORY, session_over
from kapda.domain.identity.session_ports import AccessTokens, Revocation, RevokedTokens, SessionReader
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import SessionId


@dataclass(frozen=True, slots=True)
class AuthenticateCommand:
    """The access token, without the word before it."""

    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Runs before every call that has a token. A token of a revoked session is never accepted.

    Most calls cost one look at the revoked tokens. When those do not know, the session's row decides, and the first
    caller to notice refills them.
    """

    access_tokens: AccessTokens
    revoked_tokens: RevokedTokens
    sessions: SessionReader
    clock: Clock

    async def execute(self, command: AuthenticateCommand) -> Principal:
        """The principal. Raises UnauthenticatedError (TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED), or
        UnavailableError (DATABASE_UNAVAILABLE) when neither the revoked tokens nor the rows can tell."""
        principal = self.access_tokens.verify(command.access_token).principal
        match await self.revoked_tokens.check(principal.session_id):
            case Revocation.REVOKED:
                raise session_over()
            case Revocation.UNKNOWN:
                await self._check_row(principal)
                await self.revoked_tokens.refill(self._recently_revoked)
            case Revocation.NOT_REVOKED:
                pass
        return principal

    async def _check_row(self, principal: Principal) -> None:
        session = await self.sessions.find(principal.session_id)
        if session is None or session.user_id != principal.user_id or not session.is_active(self.clock.now()):
            raise session_over()

    async def _recently_revoked(self) -> Collection[SessionId]:
        return await self.sessions.revoked_since(self.clock.now() - REVOCATION_MEMORY)
