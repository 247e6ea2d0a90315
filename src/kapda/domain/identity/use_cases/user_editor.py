"""What every change of another's account has in common."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.administration import ManagedUser, check_may_take_power, user_not_found, user_state_invalid
from kapda.domain.identity.house_member import leaves_houses
from kapda.domain.identity.profile_ports import ProfileUnitOfWork
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.user import Role, User, UserStatus
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.events import Scalar
from kapda.domain.shared.ids import IdGenerator, SessionId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey
from kapda.domain.shared.request_proof import RequestProof


@dataclass(frozen=True, slots=True)
class UserEdit:
    """One change: who makes it and why, under which request, of whom.

    `verb` makes it and says whether it changed anything; what changed nothing is neither written down nor ends a session.
    `takes_power` has the active admins locked and asked, and the user's sessions and signing keys ended; another role has
    the user leave their houses as well. `roles` are those it can be done to; `proof` is what signed it, where it must be.
    """

    occasion: Occasion
    key: RequestKey
    user_id: UserId
    action: AuditAction
    verb: Callable[[User, datetime], bool]
    takes_power: bool
    roles: frozenset[Role] = frozenset(Role)
    proof: RequestProof | None = None


@dataclass(frozen=True, slots=True)
class UserEditor:
    """Changes an account, ends its sessions and signing keys and writes it down: one transaction, once a request id."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    revoked_tokens: RevokedTokens
    ids: IdGenerator
    clock: Clock

    async def edit(self, edit: UserEdit) -> Answer[ManagedUser]:
        """The user after the change.

        Raises NotFoundError (USER_NOT_FOUND), FailedPreconditionError (OWN_ACCOUNT, USER_STATE_INVALID),
        PermissionDeniedError (ROLE_NOT_ALLOWED, NONCE_REUSED, SIGNATURE_INVALID) or InvalidArgumentError
        (REQUEST_ID_REUSED).
        """
        answer, ended = await self._edit(edit, self.clock.now())
        await self.revoked_tokens.revoke(ended)
        return answer

    async def _edit(self, edit: UserEdit, now: datetime) -> tuple[Answer[ManagedUser], Collection[SessionId]]:
        """The answer, and the sessions whose end is to be told of before it is given."""
        async with self.unit_of_work() as uow:
            # Accounts before keys: whoever takes an account's power holds it, and waits for what its keys have under way.
            if edit.takes_power:
                check_may_take_power(edit.occasion.actor, await uow.users.lock_active_admins(), edit.user_id)
            user = await uow.users.lock(edit.user_id)
            if edit.proof is not None:
                await uow.nonces.spend(edit.proof)
            earlier = await uow.requests.claim(edit.key, ManagedUser)
            if earlier is not None and earlier.answer is not None:
                ended = await uow.sessions.ended_lately(edit.user_id, now) if edit.takes_power else ()
                # A retry was signed for itself: its nonce is spent like the first one's.
                await uow.commit()
                return Answer(earlier.answer, replayed=True), ended
            if user is None:
                raise user_not_found()
            if user.status is UserStatus.DELETED or user.role not in edit.roles:
                raise user_state_invalid(user)
            await self._change(uow, edit, user, now)
            # Also where nothing changed: whoever changed it before may have gone before everybody knew of the end.
            ended = await uow.sessions.end_all(user.id, now) if edit.takes_power else ()
            answer = ManagedUser.of(user)
            await uow.requests.answer(edit.key, answer)
            await uow.commit()
        return Answer(answer), ended

    async def _change(self, uow: ProfileUnitOfWork, edit: UserEdit, user: User, now: datetime) -> None:
        """Make the change and write it down, if it is one."""
        role_before = user.role
        details: dict[str, Scalar] = {"role_before": role_before.value, "state_before": user.status.value}
        if not edit.verb(user, now):
            return
        await uow.users.save(user)
        details |= {"role": user.role.value, "state": user.status.value}
        if edit.takes_power:
            # Else a key of an earlier time would sign again on the day on which the power comes back.
            details["signing_keys_revoked"] = await uow.signing_keys.revoke_all(user.id, now)
        if leaves_houses(role_before, user.role):
            details["houses_left"] = await uow.designer_members.remove_all(user.id)
        await uow.audit.add(AuditEntry(self.ids.new(), now, edit.occasion, edit.action, "user", user.id, details))
