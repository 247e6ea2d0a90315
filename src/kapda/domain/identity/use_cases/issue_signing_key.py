"""Issue a signing key."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.administration import user_not_found
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.signing import SigningKey, SigningSecret, SigningSecrets, cannot_sign
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import AuditAction, AuditEntry, Occasion
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import AlreadyExistsError, Reason
from kapda.domain.shared.ids import IdGenerator, SigningKeyId, UserId
from kapda.domain.shared.request_proof import RequestProof

_SIGNERS = frozenset({Role.ADMIN, Role.SERVICE})


@dataclass(frozen=True, slots=True)
class IssueSigningKeyCommand:
    """For whom. `proof` is None for an operator at the machine, who makes the first key of all. With `only_first` nothing is
    made for somebody who has, or ever had, one."""

    occasion: Occasion
    proof: RequestProof | None
    user_id: UserId
    only_first: bool = False


@dataclass(frozen=True, slots=True)
class IssuedSigningKey:
    """The key and its secret, which is told only now."""

    key: SigningKey
    secret: SigningSecret


@dataclass(frozen=True, slots=True)
class IssueSigningKey:
    """Lets an active admin or service sign requests. A lost answer leaves a key that nobody uses, to be revoked.

    Raises NotFoundError (USER_NOT_FOUND), AlreadyExistsError (SIGNING_KEY_EXISTS), FailedPreconditionError
    (USER_CANNOT_SIGN) and PermissionDeniedError (NONCE_REUSED).
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    secrets: SigningSecrets
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: IssueSigningKeyCommand) -> IssuedSigningKey:
        """The key."""
        now = self.clock.now()
        async with self.unit_of_work() as uow:
            # Accounts before keys, as whoever takes an account's power has them.
            user = await uow.users.lock(command.user_id)
            if command.proof is not None:
                await uow.nonces.spend(command.proof)
            if user is None:
                raise user_not_found()
            if user.role not in _SIGNERS or not user.is_active:
                raise cannot_sign(command.user_id)
            if command.only_first and await uow.signing_keys.has_any(user.id):
                raise AlreadyExistsError(Reason.SIGNING_KEY_EXISTS, "the user has a signing key, or had one")
            key = SigningKey(SigningKeyId(self.ids.new()), user.id, now)
            await uow.signing_keys.add(key)
            await uow.audit.add(
                AuditEntry(
                    self.ids.new(),
                    now,
                    command.occasion,
                    AuditAction.SIGNING_KEY_ISSUED,
                    "signing_key",
                    key.id,
                    {"user_id": str(user.id)},
                )
            )
            await uow.commit()
        return IssuedSigningKey(key, self.secrets.secret_of(key.id))
