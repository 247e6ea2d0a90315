"""Refresh a session."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.refresh import (
    MAX_REFRESHES,
    REFRESHES_WITHIN,
    RefreshSecret,
    SessionTokens,
    TokenUse,
    refresh_token_invalid,
    refresh_token_reused,
    refreshed_too_often,
    session_refreshed_too_often,
)
from kapda.domain.identity.session import NOWHERE, Contact, Session, session_over
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.shared.audit import Actor, ActorKind, AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import DomainError
from kapda.domain.shared.ids import IdGenerator


@dataclass(frozen=True, slots=True)
class RefreshSessionCommand:
    """The token that is used, by whom it is used, and the call's id for the audit log."""

    secret: RefreshSecret = field(repr=False)
    call_id: str
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Exchanges a refresh token for the next one and a new access token, or finds that it is in two hands.

    Everything is decided under the lock of the session's row, which whoever ends the session takes too: what was given
    out before an end belongs to a session that is over, and after an end nothing is given out.
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    revoked_tokens: RevokedTokens
    issuer: TokenIssuer
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: RefreshSessionCommand) -> SessionTokens:
        """The new tokens.

        Raises UnauthenticatedError (REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED, SESSION_REVOKED) or
        ResourceExhaustedError (RATE_LIMITED).
        """
        async with self.unit_of_work() as uow:
            session = await uow.sessions.lock_by_refresh_token(command.secret.digest)
            token = await uow.refresh_tokens.find(command.secret.digest)
            if session is None or token is None:
                raise refresh_token_invalid()
            now = self.clock.now()
            if not session.is_active(now):
                raise session_over()
            user = await uow.users.find(session.user_id)
            use = token.use(now) if user is not None and user.is_active else None
            if user is not None and use is TokenUse.GRANTED:
                # Only now: a replay ends the session however often it was refreshed.
                if await uow.refresh_tokens.issued_since(session.id, now - REFRESHES_WITHIN) > MAX_REFRESHES:
                    raise session_refreshed_too_often()
                session.refresh(now, command.contact)
                await uow.sessions.save(session)
                await uow.refresh_tokens.save(token)
                tokens = await self.issuer.issue(uow.refresh_tokens, session, user.role, now)
                await uow.commit()
                return tokens
            if use is TokenUse.REPLAYED:
                await self._end_replayed(uow, command, session, now)
        raise await self._refusal(use, session, now)

    async def _end_replayed(
        self, uow: IdentityUnitOfWork, command: RefreshSessionCommand, session: Session, now: datetime
    ) -> None:
        """The thief's tokens and the owner's are of one session: it ends, and the log keeps that and from where."""
        session.revoke(now)
        await uow.sessions.save(session)
        occasion = Occasion(
            # In whose name the call was made; who made it is the very question.
            Actor(ActorKind.USER, session.user_id),
            command.call_id,
            "a refresh token was used again after its grace",
        )
        await uow.audit.add(
            AuditEntry(
                self.ids.new(),
                now,
                occasion,
                AuditAction.REFRESH_TOKEN_REUSED,
                "user",
                session.user_id,
                details={"session_id": str(session.id)},
                traces={
                    "client_network": command.contact.network.text,
                    "user_agent": command.contact.user_agent,
                },
            )
        )
        await uow.commit()

    async def _refusal(self, use: TokenUse | None, session: Session, now: datetime) -> DomainError:
        """What to answer, once everybody knows of the end of what was ended."""
        match use:
            case TokenUse.EXPIRED:
                return refresh_token_invalid()
            case TokenUse.TOO_OFTEN:
                return refreshed_too_often()
            case TokenUse.REPLAYED:
                await self.revoked_tokens.revoke((session.id,))
                return refresh_token_reused()
        # The account is not active. Whoever made it so has ended all its sessions, unless it was done by hand; in a
        # transaction of their own, because they are locked in order, and not after the one that is locked already.
        async with self.unit_of_work() as uow:
            ended = await uow.sessions.end_all(session.user_id, now)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
        return session_over()
