"""Log in."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kapda.domain.identity.log_in_attempts import Attempt
from kapda.domain.identity.log_in_ports import SuccessfulLogIn
from kapda.domain.identity.password import Password, credentials_invalid
from kapda.domain.identity.password_ports import PasswordHasher
from kapda.domain.identity.ports import IdentityUnitOfWork
from kapda.domain.identity.refresh import RefreshToken, SessionTokens
from kapda.domain.identity.session import NOWHERE, Contact, Session
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import InvalidArgumentError
from kapda.domain.shared.ids import IdGenerator, SessionId


@dataclass(frozen=True, slots=True)
class LogInCommand:
    """Who claims to be whom, and from where."""

    email: str
    password: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The user and the tokens of the new session."""

    user: User
    tokens: SessionTokens


@dataclass(frozen=True, slots=True)
class LogIn:
    """Begins a session for whoever knows the password.

    An address without an account, even one that is no address, and an account that is not active cost the same hashing
    and get the same answer as a wrong password.

    `autocommit` makes units without a transaction: what is read is one statement, and what is kept another.
    """

    unit_of_work: Callable[[], IdentityUnitOfWork]
    autocommit: Callable[[], IdentityUnitOfWork]
    guard: LogInGuard
    passwords: PasswordHasher
    issuer: TokenIssuer
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: LogInCommand) -> LoggedIn:
        """The session. Raises UnauthenticatedError (CREDENTIALS_INVALID), ResourceExhaustedError (LOG_IN_LOCKED,
        LOG_IN_LINK_NEEDED) or UnavailableError (OVERLOADED)."""
        async with self.guard.trying(command.email, command.contact.network) as attempt:
            return await self._log_in(command, attempt)

    async def _log_in(self, command: LogInCommand, attempt: Attempt) -> LoggedIn:
        password = Password(command.password)
        # Hashing happens between two statements, never inside a transaction: it may have to wait its turn.
        found = await self._find(command.email)
        check = await self.passwords.check(password, found.password_hash if found else None)
        if found is None or not found.is_active or not check.is_right:
            raise credentials_invalid()
        if check.needs_rehash:
            found = await self._rehash(found, password)

        now = self.clock.now()
        session = Session.start(SessionId(self.ids.new()), found.id, now, command.contact)
        secret = self.issuer.refresh_secrets.new()
        begun = SuccessfulLogIn(session, RefreshToken.of(secret, session, now), attempt, found.password_hash)
        async with self.autocommit() as uow:
            role = await uow.log_ins.keep(begun)
            await uow.commit()
        # A new password or status came meanwhile, which ends sessions: this one must not slip in after.
        if role is None:
            raise credentials_invalid()
        return LoggedIn(replace(found, role=role), self.issuer.pair(secret, session, role, now))

    async def _rehash(self, found: User, password: Password) -> User:
        """The account with another hash of its password, made with today's parameters."""
        new_hash = await self.passwords.hash(password)
        async with self.unit_of_work() as uow:
            user = await uow.users.lock(found.id)
            # Another password came meanwhile, and this would bring the old one back.
            if user is None or user.password_hash != found.password_hash:
                raise credentials_invalid()
            user.keep_hash(new_hash, self.clock.now())
            await uow.users.save(user)
            await uow.commit()
        return user

    async def _find(self, email: str) -> User | None:
        try:
            address = EmailAddress(email)
        except InvalidArgumentError:
            return None
        async with self.autocommit() as uow:
            return await uow.users.find_by_email(address)
