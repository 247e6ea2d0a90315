"""End all sessions of a user."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.administration import ManagedUser, user_not_found
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import IdGenerator, RequestId, SessionId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class EndUserSessionsCommand:
    """Whose sessions, and why."""

    principal: Principal
    occasion: Occasion
    request_id: RequestId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class EndUserSessions:
    """Signs a user out everywhere: once this has answered, no process accepts a token of any session there was."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    revoked_tokens: RevokedTokens
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: EndUserSessionsCommand) -> Answer[ManagedUser]:
        """The user. Raises NotFoundError (USER_NOT_FOUND) or InvalidArgumentError (REQUEST_ID_REUSED)."""
        answer, ended = await self._end(command, self.clock.now())
        await self.revoked_tokens.revoke(ended)
        return answer

    async def _end(
        self, command: EndUserSessionsCommand, now: datetime
    ) -> tuple[Answer[ManagedUser], Collection[SessionId]]:
        """The answer, and the sessions whose end is to be told of before it is given."""
        user_id = command.user_id
        body = fingerprint(user_id, command.occasion.reason)
        key = RequestKey(command.principal.user_id, "EndUserSessions", command.request_id, body)
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, ManagedUser)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True), await uow.sessions.ended_lately(user_id, now)
            # Under the account's lock, which a log-in takes too: none slips in behind.
            user = await uow.users.lock(user_id)
            if user is None:
                raise user_not_found()
            ended = await uow.sessions.end_all(user_id, now)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.SESSIONS_ENDED,
                    "user",
                    user_id,
                    {"sessions": len(ended)},
                )
            )
            answer = ManagedUser.of(user)
            await uow.requests.answer(key, answer)
            await uow.commit()
        return Answer(answer), ended
