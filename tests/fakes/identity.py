"""In-memory stand-ins for identity's ports. The contract suites hold most of them to what the real adapters do."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Outcome
from kapda.domain.identity.log_in_ports import SuccessfulLogIn
from kapda.domain.identity.mailed_link import MailedLink
from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordCheck
from kapda.domain.identity.refresh import RefreshSecret, RefreshToken
from kapda.domain.identity.session import REVOCATION_MEMORY, AccessClaims, Session
from kapda.domain.identity.session_ports import Revocation
from kapda.domain.identity.signing import SigningKey
from kapda.domain.identity.user import EmailAddress, Role, User
from kapda.domain.shared.audit import AuditEntry
from kapda.domain.shared.errors import AlreadyExistsError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import ApiKeyId, DesignerId, LinkId, MailId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.audit import InMemoryAudit
from tests.fakes.log_ins import AttemptRow, InMemoryKnownNetworks, InMemoryLogInAttempts
from tests.fakes.mails import InMemoryMailedLinks, InMemoryMails, MailRow, NobodyWakes
from tests.fakes.signing_keys import InMemoryNonces, InMemorySigningKeys, Spent


@dataclass
class SettableClock:
    """A Clock that stands still until it is moved."""

    at: datetime = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass
class CountingIds:
    """An IdGenerator that counts."""

    last: int = 0

    def new(self) -> UUID:
        self.last += 1
        return UUID(int=self.last)


@dataclass
class IdentityTables:
    """What is committed."""

    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    members: set[tuple[DesignerId, UserId]] = field(default_factory=set)
    designers: set[DesignerId] = field(default_factory=set)
    api_keys: dict[ApiKeyId, ApiKey] = field(default_factory=dict)
    mails: dict[MailId, MailRow] = field(default_factory=dict)
    mailed_links: dict[LinkId, MailedLink] = field(default_factory=dict)
    signing_keys: dict[SigningKeyId, SigningKey] = field(default_factory=dict)
    nonces: Spent = field(default_factory=set)
    audit: list[AuditEntry] = field(default_factory=list)
    log_in_attempts: dict[UUID, AttemptRow] = field(default_factory=dict)
    known_networks: dict[tuple[UserId, ClientNetwork], datetime] = field(default_factory=dict)
    # What the database says the time is.
    clock: SettableClock = field(default_factory=SettableClock)


@dataclass
class InMemoryUsers:
    """Users of an open unit of work."""

    rows: dict[UserId, User]

    async def add(self, user: User) -> None:
        if any(row.email.key == user.email.key for row in self.rows.values()):
            raise AlreadyExistsError(Reason.EMAIL_TAKEN, "taken")
        self.rows[user.id] = deepcopy(user)

    async def find(self, user_id: UserId) -> User | None:
        return deepcopy(self.rows.get(user_id))

    async def find_all(self, user_ids: Collection[UserId]) -> Collection[User]:
        return [deepcopy(self.rows[user_id]) for user_id in user_ids if user_id in self.rows]

    async def find_by_email(self, email: EmailAddress) -> User | None:
        return deepcopy(next((row for row in self.rows.values() if row.email.key == email.key), None))

    async def lock(self, user_id: UserId) -> User | None:
        return await self.find(user_id)

    async def save(self, user: User) -> None:
        self.rows[user.id] = deepcopy(user)

    async def lock_active_admins(self) -> Collection[UserId]:
        return [row.id for row in self.rows.values() if row.role is Role.ADMIN and row.is_active]


@dataclass
class InMemorySessions:
    """Sessions of an open unit of work."""

    rows: dict[SessionId, Session]
    tokens: dict[bytes, RefreshToken]

    async def add(self, session: Session) -> None:
        self.rows[session.id] = deepcopy(session)

    async def lock(self, session_id: SessionId) -> Session | None:
        return deepcopy(self.rows.get(session_id))

    async def lock_by_refresh_token(self, digest: bytes) -> Session | None:
        token = self.tokens.get(digest)
        return None if token is None else await self.lock(token.session_id)

    async def save(self, session: Session) -> None:
        self.rows[session.id] = deepcopy(session)

    async def list_living(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        living = [row for row in self.rows.values() if row.user_id == user_id and row.is_active(at)]
        newest = sorted(living, key=lambda session: session.id, reverse=True)
        after = [row for row in newest if page.cursor is None or row.id < UUID(page.cursor[0])]
        return Page.cut(deepcopy(after[: page.size + 1]), page, lambda session: (str(session.id),))

    async def end_all(
        self, user_id: UserId, at: datetime, except_session: SessionId | None = None
    ) -> Collection[SessionId]:
        ended = []
        for session in self.rows.values():
            if session.user_id != user_id or session.id == except_session:
                continue
            if session.is_active(at) or (session.revoked_at and session.revoked_at >= at - REVOCATION_MEMORY):
                session.revoke(at)
                ended.append(session.id)
        return ended

    async def ended_lately(self, user_id: UserId, at: datetime) -> Collection[SessionId]:
        since = at - REVOCATION_MEMORY
        own = [session for session in self.rows.values() if session.user_id == user_id]
        return [session.id for session in own if session.revoked_at is not None and session.revoked_at >= since]


@dataclass
class InMemoryRefreshTokens:
    """Refresh tokens of an open unit of work."""

    rows: dict[bytes, RefreshToken]

    async def add(self, token: RefreshToken) -> None:
        self.rows[token.digest] = deepcopy(token)

    async def find(self, digest: bytes) -> RefreshToken | None:
        return deepcopy(self.rows.get(digest))

    async def issued_since(self, session_id: SessionId, since: datetime) -> int:
        return sum(row.session_id == session_id and row.issued_at > since for row in self.rows.values())

    async def save(self, token: RefreshToken) -> None:
        self.rows[token.digest] = deepcopy(token)


@dataclass
class InMemoryDesignerMembership:
    """Memberships of an open unit of work, in the houses there are."""

    rows: set[tuple[DesignerId, UserId]]
    designers: set[DesignerId]

    async def designers_of(self, user_id: UserId) -> tuple[DesignerId, ...]:
        return tuple(sorted(designer for designer, member in self.rows if member == user_id))

    async def add(self, designer_id: DesignerId, user_id: UserId, at: datetime) -> bool:
        if designer_id in self.designers:
            self.rows.add((designer_id, user_id))
        return designer_id in self.designers

    async def remove(self, designer_id: DesignerId, user_id: UserId) -> bool:
        was_one = (designer_id, user_id) in self.rows
        self.rows.discard((designer_id, user_id))
        return was_one

    async def remove_all(self, user_id: UserId) -> int:
        left = [row for row in self.rows if row[1] == user_id]
        self.rows.difference_update(left)
        return len(left)


@dataclass
class InMemoryLogIns:
    """LogIns of an open unit of work."""

    users: Mapping[UserId, User]
    sessions: InMemorySessions
    tokens: InMemoryRefreshTokens
    attempts: InMemoryLogInAttempts
    networks: InMemoryKnownNetworks

    async def keep(self, log_in: SuccessfulLogIn) -> Role | None:
        user = self.users.get(log_in.session.user_id)
        if user is None or not user.is_active or user.password_hash != log_in.checked_hash:
            return None
        await self.sessions.add(log_in.session)
        await self.tokens.add(log_in.token)
        await self.attempts.record(log_in.attempt, Outcome.SUCCEEDED)
        await self.networks.add(user.id, log_in.attempt.network, log_in.session.created_at)
        return user.role


class InMemoryIdentityUnitOfWork:
    """An IdentityUnitOfWork over a copy of the tables, which a commit puts in their place."""

    def __init__(self, tables: IdentityTables) -> None:
        self._tables = tables
        self._working = deepcopy(tables)

    @property
    def users(self) -> InMemoryUsers:
        return InMemoryUsers(self._working.users)

    @property
    def sessions(self) -> InMemorySessions:
        return InMemorySessions(self._working.sessions, self._working.refresh_tokens)

    @property
    def refresh_tokens(self) -> InMemoryRefreshTokens:
        return InMemoryRefreshTokens(self._working.refresh_tokens)

    @property
    def designer_members(self) -> InMemoryDesignerMembership:
        return InMemoryDesignerMembership(self._working.members, self._working.designers)

    @property
    def api_keys(self) -> InMemoryApiKeys:
        return InMemoryApiKeys(self._working.api_keys, self._working.users)

    @property
    def signing_keys(self) -> InMemorySigningKeys:
        return InMemorySigningKeys(self._working.signing_keys)

    @property
    def nonces(self) -> InMemoryNonces:
        return InMemoryNonces(self._working.nonces, self._working.signing_keys)

    @property
    def log_ins(self) -> InMemoryLogIns:
        return InMemoryLogIns(
            self._working.users, self.sessions, self.refresh_tokens, self.log_in_attempts, self.known_networks
        )

    @property
    def log_in_attempts(self) -> InMemoryLogInAttempts:
        return InMemoryLogInAttempts(self._working.log_in_attempts, self._tables.clock)

    @property
    def known_networks(self) -> InMemoryKnownNetworks:
        return InMemoryKnownNetworks(self._working.known_networks, self._working.users)

    @property
    def mails(self) -> InMemoryMails:
        return InMemoryMails(self._working.mails, NobodyWakes())

    @property
    def mailed_links(self) -> InMemoryMailedLinks:
        return InMemoryMailedLinks(self._working.mailed_links)

    @property
    def audit(self) -> InMemoryAudit:
        return InMemoryAudit(self._working.audit)

    async def __aenter__(self) -> Self:
        self._working = deepcopy(self._tables)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._working = deepcopy(self._tables)

    async def commit(self) -> None:
        self._tables.users = self._working.users
        self._tables.sessions = self._working.sessions
        self._tables.refresh_tokens = self._working.refresh_tokens
        self._tables.members = self._working.members
        self._tables.api_keys = self._working.api_keys
        self._tables.mails = self._working.mails
        self._tables.mailed_links = self._working.mailed_links
        self._tables.signing_keys = self._working.signing_keys
        self._tables.nonces = self._working.nonces
        self._tables.log_in_attempts = self._working.log_in_attempts
        self._tables.known_networks = self._working.known_networks
        self._tables.audit = self._working.audit


@dataclass
class InMemorySessionReader:
    """A SessionReader of the committed tables; counts what it is asked."""

    tables: IdentityTables
    reads: int = 0

    async def find(self, session_id: SessionId) -> Session | None:
        self.reads += 1
        return deepcopy(self.tables.sessions.get(session_id))

    async def revoked_since(self, at: datetime) -> Collection[SessionId]:
        self.reads += 1
        sessions = self.tables.sessions.values()
        return [session.id for session in sessions if session.revoked_at is not None and session.revoked_at >= at]


@dataclass
class ReadablePasswordHasher:
    """A PasswordHasher whose hashes anybody can read; `generation` stands for its parameters."""

    generation: int = 1
    checked: list[str | None] = field(default_factory=list)

    async def hash(self, password: Password) -> str:
        return f"{self.generation}:{password.text}"

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        self.checked.append(password_hash)
        generation, _, text = (password_hash or "").partition(":")
        is_right = generation.isdigit() and text == password.text
        return PasswordCheck(is_right, needs_rehash=is_right and int(generation) != self.generation)


@dataclass
class ListedPasswordStrength:
    """A PasswordStrength that knows a few passwords and the words about the user."""

    common: frozenset[str] = frozenset({"Password1", "passwordpassword"})

    async def is_common(self, password: Password, about_user: tuple[str, ...]) -> bool:
        return password.text in self.common or password.text.lower() in {text.lower() for text in about_user}


@dataclass
class RememberedAccessTokens:
    """AccessTokens that are looked up instead of checked: this one must be the one that made them."""

    clock: SettableClock
    issued: dict[str, AccessClaims] = field(default_factory=dict)

    def issue(self, claims: AccessClaims) -> str:
        text = f"token-{claims.token_id}"
        self.issued[text] = claims
        return text

    def verify(self, token: str) -> AccessClaims:
        claims = self.issued.get(token)
        if claims is None:
            raise UnauthenticatedError(Reason.TOKEN_INVALID, "no such token")
        if self.clock.now() >= claims.expires_at:
            raise UnauthenticatedError(Reason.TOKEN_EXPIRED, "expired")
        return claims


@dataclass
class CountedRefreshSecrets:
    """RefreshSecrets that anybody can guess."""

    made: int = 0

    def new(self) -> RefreshSecret:
        self.made += 1
        return RefreshSecret(f"refresh-{self.made}")


@dataclass
class InMemoryRevokedTokens:
    """RevokedTokens that can be lost and cannot be reached, at a test's wish."""

    reachable: bool = True
    complete: bool = False
    entries: set[SessionId] = field(default_factory=set)

    def lose_everything(self) -> None:
        self.complete = False
        self.entries.clear()

    async def check(self, session_id: SessionId) -> Revocation:
        if not self.reachable:
            return Revocation.UNKNOWN
        if session_id in self.entries:
            return Revocation.REVOKED
        return Revocation.NOT_REVOKED if self.complete else Revocation.UNKNOWN

    async def revoke(self, session_ids: Collection[SessionId]) -> None:
        if self.reachable:
            self.entries.update(session_ids)
        elif session_ids:
            self.complete = False

    async def refill(self, revoked: Callable[[], Awaitable[Collection[SessionId]]]) -> None:
        if self.reachable and not self.complete:
            self.entries.update(await revoked())
            self.complete = True
