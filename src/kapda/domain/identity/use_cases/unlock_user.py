"""Let a user try the password again."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import ManagedUser, user_not_found, user_state_invalid
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import UserStatus
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import IdGenerator, RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class UnlockUserCommand:
    """Whose account, and why."""

    principal: Principal
    occasion: Occasion
    request_id: RequestId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class UnlockUser:
    """Forgets the wrong passwords at an account, whoever tried them: every network may try anew."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    guard: LogInGuard
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: UnlockUserCommand) -> Answer[ManagedUser]:
        """The user. Raises NotFoundError (USER_NOT_FOUND), FailedPreconditionError (USER_STATE_INVALID) or
        InvalidArgumentError (REQUEST_ID_REUSED)."""
        answer = await self._unlock(command)
        # At a retry too: whoever came first may have gone before the counters heard of it.
        await self.guard.forgotten(answer.value.email.text)
        return answer

    async def _unlock(self, command: UnlockUserCommand) -> Answer[ManagedUser]:
        user_id, now = command.user_id, self.clock.now()
        body = fingerprint(user_id, command.occasion.reason)
        key = RequestKey(command.principal.user_id, "UnlockUser", command.request_id, body)
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, ManagedUser)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            user = await uow.users.lock(user_id)
            if user is None:
                raise user_not_found()
            if user.status is UserStatus.DELETED:
                raise user_state_invalid(user)
            attempts = await self.guard.forget(uow, user.email.text)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.USER_UNLOCKED,
                    "user",
                    user_id,
                    {"attempts": attempts},
                )
            )
            answer = ManagedUser.of(user)
            await uow.requests.answer(key, answer)
            await uow.commit()
        return Answer(answer)
